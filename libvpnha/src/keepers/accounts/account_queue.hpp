// SPDX-License-Identifier: GPL-2.0-or-later
// Which account an accounting server is to hear of next, and when. One request is under way at a
// time. Pure.
//
// While no server answers, all wait: after 1, 2, 4 … 60 s one of them is tried, in turn. A request
// that the servers do not take waits alone, 60 s.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/limits.hpp"
#include "base/time.hpp"
#include "effects/accounting_work.hpp"
#include "keepers/accounts/account_record.hpp"

namespace vpnha::keepers {

class AccountQueue {
  public:
    // Due then, and no more when it was due before.
    void put(const AccountId& id, TimePoint at);
    void erase(const AccountId& id);
    // Forgets what is under way, too.
    void clear();

    // The next one that may be sent now: it is no longer due.
    [[nodiscard]] std::optional<AccountId> take(TimePoint now);
    // That one is under way, until finish().
    void send(const AccountId& id, std::uint64_t ticket);
    // Which one it was; nullopt: another ticket is under way, or none. One that was not answered is
    // due again.
    [[nodiscard]] std::optional<AccountId> finish(const node::AccountingAnswered& answer,
                                                  TimePoint now);
    // The last request was not answered by anybody.
    [[nodiscard]] bool is_silent() const { return quiet_until_.has_value(); }

    // When take() is worth a call.
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

  private:
    struct Sending {
        std::uint64_t ticket = 0;
        AccountId id;
    };

    std::map<AccountId, TimePoint> at_;
    std::set<std::pair<TimePoint, AccountId>> due_;  // The same.
    std::optional<Sending> sending_;
    std::optional<TimePoint> quiet_until_;
    Duration pause_ = limits::kAccountAgainFirst;
};

}  // namespace vpnha::keepers
