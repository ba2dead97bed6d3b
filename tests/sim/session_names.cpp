// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/session_names.hpp"

#include "base/assert.hpp"

namespace vpnha::sim {

l2tp::SessionKey l2tp_key(const wire::RecordKey& key) {
    const Result<l2tp::SessionKey> session = l2tp::parse_key(key.id.view());
    VPNHA_ASSERT(session);
    return *session;
}

std::optional<pptp::CallKey> call_key(const wire::RecordKey& key) {
    if (key.type != wire::RecordType::pptp_call) {
        return std::nullopt;
    }
    const Result<pptp::CallKey> call = pptp::parse_key(key.id.view());
    VPNHA_ASSERT(call);
    return *call;
}

bool is_readable(const wire::RecordKey& key, ByteView record) {
    return key.type == wire::RecordType::pptp_call ? pptp::parse_record(record).has_value()
                                                   : l2tp::parse_record(record).has_value();
}

std::string name_of(const wire::RecordKey& key) {
    if (const auto call = call_key(key)) {
        return pptp::to_string(*call);
    }
    return l2tp::to_string(l2tp_key(key));
}

}  // namespace vpnha::sim
