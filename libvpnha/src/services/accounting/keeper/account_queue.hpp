// SPDX-License-Identifier: GPL-2.0-or-later
// Which account an accounting server is to hear of next, and when. Eight requests are under way at
// most (limits::kAccountsUnderWay), one of each session, and no more than a given number is sent a
// second. Pure.
//
// Starts, Stops and Interims have their turns: after a failure that lost hundreds of sessions the
// Starts of the clients that dial again do not wait behind all Stops.
//
// What is put while the session's last request is under way waits for its end: a server has the
// Start before the Stop.
//
// While no server answers, all wait: after 1, 2, 4 … 60 s one of them is tried, in turn. A request
// that the servers do not take waits alone, 60 s.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/burst.hpp"
#include "base/limits.hpp"
#include "base/time.hpp"
#include "services/accounting/model/account_record.hpp"
#include "services/accounting/work.hpp"

namespace vpnha::keepers {

class AccountQueue {
  public:
    using Kind = node::AccountingRequest::Kind;

    // `per_second`: requests, at least 1.
    explicit AccountQueue(std::uint32_t per_second) : rate_(Burst::per_second(per_second)) {}

    // Due then, and no more when it was due before. `kind`: what is to be told.
    void put(const AccountId& id, Kind kind, TimePoint at);
    // Before all others, whatever their kind, if it is due at all.
    void hurry(const AccountId& id);
    void erase(const AccountId& id);
    // Forgets what is under way, too.
    void clear();

    // The next one that may be sent now: it is no longer due.
    [[nodiscard]] std::optional<AccountId> take(TimePoint now);
    // That one, which take() gave, is under way from now on, until finish().
    void send(const AccountId& id, Kind kind, std::uint64_t ticket, TimePoint now);
    // Which one it was; nullopt: there is no such ticket. One that was not answered is due again.
    [[nodiscard]] std::optional<AccountId> finish(const node::AccountingAnswered& answer,
                                                  TimePoint now);
    [[nodiscard]] bool is_under_way(const AccountId& id) const { return behind_.contains(id); }
    // The last request was not answered by anybody.
    [[nodiscard]] bool is_silent() const { return quiet_until_.has_value(); }

    // When take() is worth a call.
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

  private:
    static constexpr std::size_t kKinds = 3;

    struct Due {
        Kind kind{};
        TimePoint at;
    };
    struct Sending {
        AccountId id;
        Kind kind{};
        TimePoint at;
    };
    using Queue = std::set<std::pair<TimePoint, AccountId>>;

    // No server has answered since it was asked last.
    void pause(const Sending& unanswered, TimePoint now);
    [[nodiscard]] bool is_full() const;
    // That of which something is to be told at `now`, and whose turn it is.
    [[nodiscard]] const Queue* next(TimePoint now) const;
    [[nodiscard]] Queue& of(Kind kind) { return due_.at(static_cast<std::size_t>(kind)); }

    std::map<AccountId, Due> all_;
    std::array<Queue, kKinds> due_;  // The same, by their kinds.
    std::size_t turn_ = 0;           // Of due_.
    Burst rate_;
    std::map<std::uint64_t, Sending> sending_;  // By ticket.
    // Of those under way: what is due behind it.
    std::map<AccountId, std::optional<Due>> behind_;
    std::optional<TimePoint> quiet_until_;
    TimePoint quiet_since_ = TimePoint::min();
    Duration pause_ = limits::kAccountAgainFirst;
};

}  // namespace vpnha::keepers
