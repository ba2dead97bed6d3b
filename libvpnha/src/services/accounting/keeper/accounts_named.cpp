// SPDX-License-Identifier: GPL-2.0-or-later
// Finds the sessions that RADIUS servers name, to end them.
#include "base/accounting.hpp"
#include "services/accounting/keeper/accounts.hpp"

namespace vpnha::keepers {

bool Accounts::may_have(const SessionIdentity& identity) const {
    if (!settings_.on || !identity.session) {
        return settings_.on;
    }
    const auto name = parse_session_id(*identity.session);
    return name && name->gateway == gateway_.id();
}

std::vector<wire::RecordKey> Accounts::find(const SessionIdentity& identity) const {
    constexpr std::size_t kEnough = 2;  // Enough to detect ambiguity.
    std::vector<wire::RecordKey> found;
    const auto take = [&](Map::const_iterator account) {
        const AccountRecord& record = account->second.record;
        if (!record.end && fits(identity, record)) {
            found.push_back(record.session);
        }
    };
    if (!is_serving() || !may_have(identity)) {
        return found;
    }
    if (identity.session) {
        const auto account = accounts_.find(parse_session_id(*identity.session)->id);
        if (account != accounts_.end()) {
            take(account);
        }
        return found;
    }
    if (identity.address) {
        if (const auto id = by_address_.find(*identity.address); id != by_address_.end()) {
            take(accounts_.find(id->second));
        }
        return found;
    }
    for (auto each = accounts_.begin(); each != accounts_.end() && found.size() < kEnough; ++each) {
        take(each);
    }
    return found;
}

void Accounts::on_end_ordered(const wire::RecordKey& session, EndCause cause) {
    if (const auto found = by_session_.find(session); is_serving() && found != by_session_.end()) {
        accounts_.at(found->second).ordered = cause;
    }
}

}  // namespace vpnha::keepers
