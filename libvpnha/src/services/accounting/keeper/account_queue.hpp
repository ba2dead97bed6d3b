// SPDX-License-Identifier: GPL-2.0-or-later
// The order and the times in which accounts are reported to an accounting server. At most eight
// requests are under way (limits::kAccountsUnderWay), one for each session, and no more than a
// given number is sent a second. Pure.
//
// Starts, Stops and Interims take turns: after a failure that lost hundreds of sessions the Starts
// of the clients that dial again do not wait for all Stops.
//
// A request that is put while the session's last one is under way waits for its end: a server
// receives the Start before the Stop.
//
// While no server answers, all wait: after 1, 2, 4 … 60 s one of them is tried, in turn. A request
// that the servers refuse waits alone, 60 s.
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

    // Due at `at`, or when it was due before if that is earlier. `kind`: the request to send.
    void put(const AccountId& id, Kind kind, TimePoint at);
    // Before all others, whatever their kind, if it is due at all.
    void hurry(const AccountId& id);
    void erase(const AccountId& id);
    // Also drops the requests under way.
    void clear();

    // The next one that may be sent now: it is no longer due.
    [[nodiscard]] std::optional<AccountId> take(TimePoint now);
    // A request that take() returned is under way from now on, until finish().
    void send(const AccountId& id, Kind kind, std::uint64_t ticket, TimePoint now);
    // The account of that ticket; nullopt: none. One that was not answered is due again.
    [[nodiscard]] std::optional<AccountId> finish(const node::AccountingAnswered& answer,
                                                  TimePoint now);
    [[nodiscard]] bool is_under_way(const AccountId& id) const { return behind_.contains(id); }
    // No server answered the last request.
    [[nodiscard]] bool is_silent() const { return quiet_until_.has_value(); }

    // When the next call of take() can succeed.
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

    // No server has answered since its last request.
    void pause(const Sending& unanswered, TimePoint now);
    [[nodiscard]] bool is_full() const;
    // The queue that has a request due at `now`, and whose turn it is.
    [[nodiscard]] const Queue* next(TimePoint now) const;
    [[nodiscard]] Queue& of(Kind kind) { return due_.at(static_cast<std::size_t>(kind)); }

    std::map<AccountId, Due> all_;
    std::array<Queue, kKinds> due_;  // The same, by their kinds.
    std::size_t turn_ = 0;           // Of due_.
    Burst rate_;
    std::map<std::uint64_t, Sending> sending_;  // By ticket.
    // For accounts with a request under way: the next request that is due.
    std::map<AccountId, std::optional<Due>> behind_;
    std::optional<TimePoint> quiet_until_;
    TimePoint quiet_since_ = TimePoint::min();
    Duration pause_ = limits::kAccountAgainFirst;
};

}  // namespace vpnha::keepers
