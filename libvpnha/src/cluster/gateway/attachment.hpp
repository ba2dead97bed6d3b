// SPDX-License-Identifier: GPL-2.0-or-later
// Whether an agent has started the gateway on this node, and as which resource of Pacemaker. Pure.
//
//   state \ event | attach() | leave() | stop()  | end()
//   --------------+----------+---------+---------+---------
//   detached      | attached | XXX     | XXX     | -
//   attached      | - (1)    | leaving | XXX     | detached
//   leaving       | attached | -       | stopped | detached
//   stopped       | attached | -       | -       | detached
//
//   (1) except for the resource's name.
//
// What stops one instance mostly stops only that one: a node goes to standby. What stops all of
// them would lose all records, which are in memory alone: a changed parameter, `resource restart`,
// `resource disable`. So a stopped gateway keeps its records: until others have had them for
// kOthersHaveThem, and for kRecordsKept at most. A start takes them back.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/assert.hpp"
#include "base/time.hpp"

namespace vpnha::node {

// From a stop on. Pacemaker needs two to four seconds from its stops to its starts, and somebody
// who types "disable" by mistake needs longer to type "enable".
inline constexpr Duration kRecordsKept = std::chrono::seconds(60);
// Of several stops at the same time, the last one comes so much later at most.
inline constexpr Duration kOthersHaveThem = std::chrono::seconds(5);

class Attachment {
  public:
    // False: it was attached already, or has kept everything.
    bool attach(std::string resource) {
        resource_ = std::move(resource);
        const bool is_new = state_ == State::detached;
        state_ = State::attached;
        return is_new;
    }
    // It is demoted first: until stop() or end() it is attached, and hears the group.
    void leave(bool serves) {
        VPNHA_ASSERT(attached());
        if (!leaving()) {
            state_ = State::leaving;
            has_served_ = serves;
        }
    }
    // It serves no more, and keeps its records.
    void stop(TimePoint now) {
        VPNHA_ASSERT(leaving());
        if (state_ != State::stopped) {
            state_ = State::stopped;
            kept_until_ = now + kRecordsKept;
            others_since_.reset();
        }
    }
    void end() { state_ = State::detached; }

    // Stopped: another node that takes part has all records, or none does.
    void note_others(bool have_them, TimePoint now) {
        others_since_ = have_them ? others_since_.value_or(now) : std::optional<TimePoint>();
    }
    // Until when the records are kept, as far as known; nullopt: it is not stopped.
    [[nodiscard]] std::optional<TimePoint> kept_until() const {
        return !stopped() ? std::nullopt
               : others_since_
                   ? std::optional(std::min(kept_until_, *others_since_ + kOthersHaveThem))
                   : std::optional(kept_until_);
    }

    [[nodiscard]] bool attached() const { return state_ != State::detached; }
    // An agent has stopped it; stopped() or about to be.
    [[nodiscard]] bool leaving() const {
        return state_ == State::leaving || state_ == State::stopped;
    }
    [[nodiscard]] bool stopped() const { return state_ == State::stopped; }
    // Leaving: it served when it was stopped.
    [[nodiscard]] bool has_served() const { return has_served_; }
    // The last one; empty: there was none since the start of vpnhad.
    [[nodiscard]] const std::string& resource() const { return resource_; }

  private:
    enum class State { detached, attached, leaving, stopped };
    State state_ = State::detached;
    bool has_served_ = false;
    TimePoint kept_until_{};
    std::optional<TimePoint> others_since_;
    std::string resource_;
};

}  // namespace vpnha::node
