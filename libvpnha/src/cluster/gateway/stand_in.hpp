// SPDX-License-Identifier: GPL-2.0-or-later
// When a standby stands in for a holder that is not heard, and until when it may: a policy. Pure.
// What follows from it is the gateway's (gateway_stand_in.cpp); whether it is granted the lease,
// and that this disturbs no holder that may speak, is the lease's (14 in cluster/lease/engine.hpp).
//
//   phase \ event | its turn | not able | granted | told the | confirmed | ended: released, lost,
//                 |          |          |         | group    |           | handed over, over
//   --------------+----------+----------+---------+----------+-----------+-----------------------
//   idle          | asks     | -        | XXX     | XXX      | XXX       | -
//   asks          | -        | idle (1) | serves  | XXX      | idle (2)  | idle
//   serves        | -        | -        | XXX     | stands in| confirmed | idle
//   stands_in     | -        | -        | - (3)   | - (3)    | idle      | idle
//   confirmed     | -        | -        | XXX     | idle     | -         | idle
//
//   (1) a claim under way continues. It is given up when no majority has granted it for 0.5 s after
//   this node's disk took it, or when the disk has not taken it for as long. 1 s later this node
//   may ask again, also while its newest vote is for its own claim. (2) an ordinary promotion from
//   here on. (3) its lease had lapsed, and it continues like a promoted node.
//
// The same object remembers the other side of it: a promoted node that another one stands in for
// tells Pacemaker that it is promoted until it is demoted. It would else count a failure, and stop
// and start what it is about to demote.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"

namespace vpnha::node {

class StandIn {
  public:
    enum class Phase { idle, asks, serves, stands_in, confirmed };
    // Of a standby that could: when the promise runs out, or the holder has yielded, and the
    // standby's place.
    struct Turn {
        NodeId holder;
        TimePoint promised_until{};
        bool released = false;    // That promise is none any more.
        TimePoint waits_until{};  // For the holder's machine, which is alive.
        std::size_t rank = 0;
        std::size_t candidates = 1;
    };
    // Why it ends by itself; empty: it does not.
    using Reason = std::string_view;

    explicit StandIn(bool wanted) : wanted_(wanted) {}

    // The place of `self` among those that could stand in, itself included: turned by the gateway's
    // id, so that the gateways of a dead node are spread. Who is `busy` comes behind all others.
    [[nodiscard]] static std::size_t rank(std::vector<NodeId> candidates,
                                          const std::set<NodeId>& busy, NodeId self,
                                          GatewayId gateway);
    // Who is busy, as that gateway has it: the holders of others. None, where its own holder has
    // several: these are spread. `holders`: as the group has heard, so that all nodes find the
    // same.
    [[nodiscard]] static std::set<NodeId> busy(const std::map<GatewayId, NodeId>& holders,
                                               GatewayId gateway);

    // To be called after every event, before due(): since when this node could ask.
    void note_turn(const std::optional<Turn>& turn, TimePoint now);
    // When this node asks; nullopt: it does not. `step`: from one rank to the next. A rank counts
    // from the moment from which on nothing else kept this node from asking: what all had waited
    // for would have all of them ask at once. Who has stood in a moment ago, or was deposed, comes
    // behind all others.
    [[nodiscard]] std::optional<TimePoint> due(const std::optional<Turn>& turn,
                                               Duration step) const;
    void begin(NodeId holder, TimePoint now);
    // It asks no more; nothing has come of it.
    void stand_back() { phase_ = Phase::idle; }
    // The lease has been claimed since `now` or earlier. True: for too long. `emitted`: this node's
    // disk has taken the claim, so the voters have been told of it.
    [[nodiscard]] bool claims_in_vain(bool emitted, TimePoint now);
    // `reported`: Pacemaker has been told of the holder already.
    void on_granted(TimePoint now, bool reported = false);
    // What was said before the grant has been delivered.
    void on_barrier() { barrier_came_ = true; }
    void on_notified(TimePoint now);
    // Pacemaker has promoted this node.
    void on_promoted();
    void end();
    // The same, and nothing has come of it: the others have the next turn.
    void fail(TimePoint now);
    // Whoever ends it wants nobody else to continue.
    void release_by_order() { released_by_order_ = true; }
    [[nodiscard]] bool released_by_order() const { return released_by_order_; }

    // That node serves, and Pacemaker has promoted it: only of such a one it is to be told.
    void on_promoted_elsewhere(NodeId node) { promoted_ = node; }
    // Whether that node hands over to any claim, as it has said last.
    void on_yielding(NodeId node, bool yields, TimePoint now);
    // Since when it does: nobody waits for the end of a promise to it.
    [[nodiscard]] std::optional<TimePoint> yielded_at(NodeId node) const;

    // Whether the old holder follows this node, as it has said last.
    void on_holder(bool follows, TimePoint now);
    // It has followed for so long that no claim of before is on its way any more: those it made on
    // its own, and declines. One that comes now Pacemaker has ordered.
    [[nodiscard]] bool may_have_it_back(TimePoint now) const;

    // `sound`: quorate, and the lease holds. Also what is due for a word in the log or to
    // Pacemaker.
    [[nodiscard]] Reason over(bool sound, TimePoint now);
    // Once: Pacemaker has not promoted this node for long.
    [[nodiscard]] bool takes_long(TimePoint now);
    // Once for each time: is the old holder still a member, Pacemaker is to move its role.
    [[nodiscard]] bool notifies(TimePoint now);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

    void depose(TimePoint now);
    void undepose() { deposed_until_.reset(); }
    // After 10 s it is not any more.
    void forget_deposal(TimePoint now);

    [[nodiscard]] bool wanted() const { return wanted_; }
    [[nodiscard]] Phase phase() const { return phase_; }
    // It serves, or is about to, and nobody has promoted it.
    [[nodiscard]] bool unconfirmed() const {
        return phase_ == Phase::serves || phase_ == Phase::stands_in;
    }
    [[nodiscard]] bool barrier_came() const { return barrier_came_; }
    // In whose place.
    [[nodiscard]] NodeId holder() const { return holder_; }
    [[nodiscard]] TimePoint since() const { return since_; }
    [[nodiscard]] bool deposed() const { return deposed_until_.has_value(); }

  private:
    bool wanted_;
    Phase phase_ = Phase::idle;
    NodeId holder_;
    NodeId promoted_;                       // By Pacemaker, as far as known.
    TimePoint since_{};                     // Granted then.
    TimePoint not_before_{};                // After it has failed.
    std::optional<TimePoint> acted_at_;     // Granted last.
    std::optional<TimePoint> able_since_;   // Nothing but the promise keeps it from asking.
    std::optional<TimePoint> released_at_;  // Since when there is none.
    bool released_by_order_ = false;
    struct Yielding {
        NodeId node;
        TimePoint since{};
    };
    std::optional<Yielding> yielding_;
    bool barrier_came_ = false;
    std::optional<TimePoint> follows_since_;  // The old holder.
    std::optional<TimePoint> claim_until_;
    bool claim_emitted_ = false;
    std::optional<TimePoint> unsound_since_;
    bool reported_ = false;
    std::optional<TimePoint> notify_at_;
    std::optional<TimePoint> long_at_;
    std::optional<TimePoint> deposed_until_;
};

}  // namespace vpnha::node
