// SPDX-License-Identifier: GPL-2.0-or-later
// The calls that peers have begun in tunnels of one gateway since this node took these over. They
// wait for their turn: only so many pppds start in a second. A pppd that has started is never
// started again. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/burst.hpp"
#include "base/time.hpp"
#include "protocols/l2tp/model/limits.hpp"
#include "protocols/l2tp/model/session_record.hpp"

namespace vpnha::keepers {

class NewCalls {
  public:
    using Key = l2tp::SessionKey;

    // One more may be accepted.
    [[nodiscard]] bool has_room() const { return waiting_.size() < limits::kL2tpCallsWaitingMax; }
    void accept(const Key& call) { waiting_.insert(call); }
    // The accepted call is set up and waits for its turn.
    void connect(const Key& call) { queue_.push_back(call); }
    // The next one whose pppd starts now.
    [[nodiscard]] std::optional<Key> take(TimePoint now) {
        while (!queue_.empty() && !waiting_.contains(queue_.front())) {
            queue_.pop_front();  // It ended meanwhile.
        }
        if (queue_.empty() || !pace_.take(now)) {
            return std::nullopt;
        }
        const Key next = queue_.front();
        queue_.pop_front();
        waiting_.erase(next);
        started_.insert(next);
        return next;
    }
    // When the next call of take() can succeed.
    [[nodiscard]] std::optional<TimePoint> next_deadline() const {
        return queue_.empty() ? std::nullopt : std::optional(pace_.next());
    }

    // False: there is no such call any more.
    bool erase(const Key& call) { return waiting_.erase(call) + started_.erase(call) != 0; }
    // Removes and returns those whose pppd has not been started.
    std::set<Key> drop_waiting() {
        queue_.clear();
        return std::exchange(waiting_, {});
    }
    void clear() {
        drop_waiting();
        started_.clear();
    }

    [[nodiscard]] const std::set<Key>& started() const { return started_; }
    [[nodiscard]] std::vector<Key> started_in(const l2tp::TunnelKey& tunnel) const {
        std::vector<Key> calls;
        for (auto at = started_.lower_bound({tunnel, {}, {}});
             at != started_.end() && at->tunnel == tunnel; ++at) {
            calls.push_back(*at);
        }
        return calls;
    }

  private:
    std::set<Key> waiting_;  // Accepted, or in queue_ as well.
    std::deque<Key> queue_;
    std::set<Key> started_;
    Burst pace_ = Burst::per_second(limits::kL2tpCallsPerSecond);
};

}  // namespace vpnha::keepers
