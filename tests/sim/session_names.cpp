// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/session_names.hpp"

#include "base/assert.hpp"

namespace vpnha::sim {

l2tp::SessionKey l2tp_key(const wire::RecordKey& key) {
    const Result<l2tp::SessionKey> session = l2tp::parse_key(key.id.view());
    VPNHA_ASSERT(session);
    return *session;
}

std::string name_of(const wire::RecordKey& key) {
    return l2tp::to_string(l2tp_key(key));
}

}  // namespace vpnha::sim
