// SPDX-License-Identifier: GPL-2.0-or-later
// Accounts of sessions without a pppd: their keepers count them.
#include <optional>
#include <utility>

#include "services/accounting/keeper/accounts.hpp"

namespace vpnha::keepers {

namespace {

AccountRecord account_of(const Usage& usage, std::uint64_t now_unix_ms) {
    AccountRecord record;
    record.session = usage.session;
    record.is_ppp = false;
    record.user = usage.user;
    record.address = usage.address.value_or(Ipv4Address{});
    record.address6 = usage.address6;
    record.peer = usage.peer;
    record.began_unix_ms = usage.began_unix_ms == 0 ? now_unix_ms : usage.began_unix_ms;
    record.total = usage.passed;
    return record;
}

}  // namespace

void Accounts::on_usage(const Usage& usage, TimePoint now, Effects& effects) {
    if (!begin_if_promoted(now)) {
        return;
    }
    auto found = by_session_.find(usage.session);
    if (found == by_session_.end() && usage.replaces) {
        found = by_session_.find(*usage.replaces);
    }
    if (found == by_session_.end()) {
        open(account_of(usage, gateway_.clock().at(now)), std::nullopt, now, effects);
        return;
    }
    Account& account = accounts_.at(found->second);
    AccountRecord& record = account.record;
    const AccountRecord before = record;
    record.total += usage.passed;
    record.peer = usage.peer;
    if (record.session != usage.session) {
        unlink(account);
        record.session = usage.session;
        link(account);
        publish(account);
        log_account(record, effects);
        replica().hurry_counters();  // A successor would consider the session lost.
    } else if (record != before) {
        changed_.insert(record.id);
        publish_at_ = earliest(publish_at_, now);
    }
}

}  // namespace vpnha::keepers
