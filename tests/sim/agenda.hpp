// SPDX-License-Identifier: GPL-2.0-or-later
// Virtual time: what is to happen, in order. Nothing passes between two events.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "base/time.hpp"
#include "sim/failure.hpp"

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
        if (now_ != first.key().first) {
            now_ = first.key().first;
            at_once_ = 0;
        }
        count();
        first.mapped()();
        return true;
    }
    // An event, or one thing that a node does in it: as long as no time passes they are finite.
    void count() {
        if (++at_once_ > kAtOnceMax) {
            throw Failure("livelock", "no time passes any more");
        }
    }

  private:
    // None of the seeds 1..2000, nor of found.txt, comes to it.
    static constexpr std::uint64_t kAtOnceMax = 100'000;

    std::map<std::pair<TimePoint, std::uint64_t>, Event> events_;
    std::uint64_t next_ = 0;
    std::uint64_t at_once_ = 0;
    TimePoint now_{std::chrono::hours(1)};
};

// One event that may be wanted earlier than before. It never moves to a later time: its owner looks
// then whether it is due.
class Alarm {
  public:
    // `agenda` and this must be there when it rings.
    Alarm(Agenda& agenda, Agenda::Event ring) : agenda_(agenda), ring_(std::move(ring)) {}
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;

    void set(TimePoint at) {
        if (at_ && *at_ <= at) {
            return;
        }
        at_ = at;
        agenda_.at(at, [this, at] {
            if (at_ == at) {
                at_.reset();
                ring_();
            }
        });
    }
    void cancel() { at_.reset(); }

  private:
    Agenda& agenda_;
    Agenda::Event ring_;
    std::optional<TimePoint> at_;
};

}  // namespace vpnha::sim
