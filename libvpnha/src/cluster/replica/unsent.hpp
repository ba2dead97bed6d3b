// SPDX-License-Identifier: GPL-2.0-or-later
// The keys that a holder has yet to send: changed records and erasures. Pure. Sessions are sent at
// once; counters and flows are gathered, and sent together.
//
//   queue \ event | push()                 | each_due()
//   --------------+------------------------+------------------------------------------
//   sessions      | due at once            | sent
//   gathered      | due after kGatherPause | sent when due; a rest stays due
#pragma once

#include <deque>
#include <optional>

#include "base/limits.hpp"
#include "base/time.hpp"
#include "cluster/wire/record_traits.hpp"

namespace vpnha::replica {

class Unsent {
  public:
    using Keys = std::deque<wire::RecordKey>;

    // A key may be queued twice, or be sent already when its turn comes: is_due() decides.
    template <class IsDue>
    void push(const wire::RecordKey& key, const IsDue& is_due) {
        const wire::Service service = wire::traits_of(key.type).service;
        if (service == wire::Service::session) {
            sessions_.push_back(key);
            return;
        }
        // Flows that come and go stay until their turn: searching for each of them takes too long.
        Keys& keys = (service == wire::Service::checkpoint ? counters_ : flows_).keys;
        if (keys.size() > 2 * wire::room_of(service).records_max) {
            std::erase_if(keys, [&is_due](const auto& each) { return !is_due(each); });
        }
        keys.push_back(key);
    }
    // A session that has come and gone before it was sent.
    void drop_session(const wire::RecordKey& key) { std::erase(sessions_, key); }
    void clear() { *this = {}; }

    // Calls send(keys) for each queue that is due; it removes the sent keys from the front.
    template <class Send>
    void each_due(TimePoint now, const Send& send) {
        send(sessions_);
        for (Gathered* const gathered : {&counters_, &flows_}) {
            Keys& keys = gathered->keys;
            if (!keys.empty() && !gathered->due) {
                gathered->due = now + limits::kGatherPause;
            }
            if (!keys.empty() && *gathered->due <= now) {
                send(keys);
            }
            if (keys.empty()) {
                gathered->due.reset();
            }
        }
    }
    // Another node waits for the counters: they are due.
    void hurry_counters() { counters_.due = TimePoint{}; }
    [[nodiscard]] bool has_counters() const { return !counters_.keys.empty(); }

    // Of the gathered ones.
    [[nodiscard]] std::optional<TimePoint> next_due() const {
        std::optional<TimePoint> at;
        for (const Gathered* const gathered : {&counters_, &flows_}) {
            if (!gathered->keys.empty()) {
                at = earliest(at, gathered->due);
            }
        }
        return at;
    }
    // An upper bound: it includes keys that were sent already.
    [[nodiscard]] std::size_t size() const {
        return sessions_.size() + counters_.keys.size() + flows_.keys.size();
    }

  private:
    struct Gathered {
        Keys keys;
        std::optional<TimePoint> due;
    };
    Keys sessions_;
    Gathered counters_;
    Gathered flows_;
};

}  // namespace vpnha::replica
