// SPDX-License-Identifier: GPL-2.0-or-later
// Virtual time: what is to happen, in order. Nothing passes between two events.
#pragma once

#include <functional>
#include <map>
#include <utility>

#include "base/time.hpp"

namespace vpnha::sim {

class Agenda {
  public:
    using Event = std::function<void()>;

    [[nodiscard]] TimePoint now() const { return now_; }

    // Events of the same time happen in the order in which they were put here.
    void at(TimePoint when, Event event) {
        events_.emplace(std::pair(std::max(when, now_), next_++), std::move(event));
    }
    void after(Duration delay, Event event) { at(now_ + delay, std::move(event)); }

    // The next event that is due until `end`; false when there is none, and it is `end` then.
    bool step(TimePoint end) {
        if (events_.empty() || events_.begin()->first.first > end) {
            now_ = end;
            return false;
        }
        auto first = events_.extract(events_.begin());
        now_ = first.key().first;
        first.mapped()();
        return true;
    }

  private:
    std::map<std::pair<TimePoint, std::uint64_t>, Event> events_;
    std::uint64_t next_ = 0;
    TimePoint now_{std::chrono::hours(1)};
};

}  // namespace vpnha::sim
