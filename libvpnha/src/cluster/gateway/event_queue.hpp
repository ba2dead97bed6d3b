// SPDX-License-Identifier: GPL-2.0-or-later
// What one part of a gateway leads to in another one. Pure.
//
// A handler posts what follows from an event, and returns: no handler calls another one. What it
// has posted is handled next, in that order, before what stood behind its own event. So an event
// is over, with all that it led to, when the one behind it begins. An outer event that asks several
// cores something drains the queue after each of them: the next one sees what came of it.
#pragma once

#include <cstddef>
#include <deque>
#include <iterator>
#include <utility>
#include <variant>
#include <vector>

#include "base/assert.hpp"
#include "cluster/lease/effects.hpp"
#include "cluster/takeover/takeover.hpp"

namespace vpnha::node {

// The takeover's step under way is over.
struct StepEnded {
    bool succeeded = false;
};
// The lease has ended for good, or a newer epoch is known.
struct RoleLost {};
// The lease was given back: the gate is to be shut.
struct GateShuts {};
// What the lease wants done now: all that it rests on is on the disk.
struct LeaseReady {
    lease::Effects effects;
};
// What the lease engine is to do, as it stands when this is handled.
enum class LeaseOrder { promote, claim, decline, demote };
// The list of voters may have to change.
struct VotersDue {};
// The successor has got the last counters.
struct CountersSent {};
// A gateway that an agent has stopped serves no more; false: its gate may be open.
struct RoleLeft {
    bool succeeded = false;
};

using InternalEvent =
    std::variant<takeover::Next, StepEnded, RoleLost, GateShuts, LeaseReady, LeaseOrder, VotersDue,
                 CountersSent, RoleLeft, lease::Granted, lease::Ended>;

class EventQueue {
  public:
    // One outer event leads to two dozen in a release, and to two for each voter that changes.
    static constexpr std::size_t kEventsMax = 1000;

    void post(InternalEvent event) { posted_.push_back(std::move(event)); }

    // Handles all events, and those that follow from them. Not to be called by a handler.
    template <class Handle>
    void drain(Handle handle) {
        VPNHA_ASSERT(!std::exchange(is_draining_, true));
        for (std::size_t handled = 0; take_posted(); ++handled) {
            VPNHA_ASSERT(handled < kEventsMax);
            InternalEvent event = std::move(waiting_.front());
            waiting_.pop_front();
            handle(std::move(event));
        }
        is_draining_ = false;
    }

  private:
    // False: there is nothing to handle.
    bool take_posted() {
        waiting_.insert(waiting_.begin(), std::make_move_iterator(posted_.begin()),
                        std::make_move_iterator(posted_.end()));
        posted_.clear();
        return !waiting_.empty();
    }

    std::vector<InternalEvent> posted_;  // By the handler that runs.
    std::deque<InternalEvent> waiting_;
    bool is_draining_ = false;
};

}  // namespace vpnha::node
