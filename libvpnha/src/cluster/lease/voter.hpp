// SPDX-License-Identifier: GPL-2.0-or-later
// A node's vote on one gateway: the rounds that it answers. Its own rounds are judged by the same
// rules.
//
//   1  It answers a round only if it does not abstain (4), and the sender's boot id is not
//      marked (6). The voters are its own (8), and of no change that has ended. The sender was not
//      missing from its quorate group for long (10). The epoch is its highest grant, or is higher
//      and its promise has ended: run out, or released by a Release of exactly that epoch.
//   7  A claim of a node whose clock is astray is refused: see on_astray().
//   2  An answer starts the promise anew, L·(1+ρ)+δ from now. L is the round's: a round of a
//      shorter L ends no promise of the same epoch earlier. A grant is an answer like any other; it
//      is on disk before it is sent (engine.hpp).
//   4  It abstains for L_max·(1+ρ)+δ after its start: its earlier promises are forgotten.
//   6  A mark is a grant of the next epoch to nobody, bound to the victim's boot id. It has run out
//      when the last answer to the victim, the mark and this start are L_max·(1+ρ)+δ ago.
//   5  A Release states whether it was ordered. An order holds, also over a start, until a
//      higher epoch is granted: it is on the disk. An epoch that ended by order is answered no
//      more.
//  11  A grant includes the newest round of the epoch before, if still known. It includes the
//      highest epoch that was granted to another node, which is on disk with the grant. A voter's
//      first grant ever states that it knows nothing below it: its disk may be a new one.
//
//   promise \ event | round, highest | round, higher | round, lower | its Release | time over
//   ----------------+----------------+---------------+--------------+-------------+-----------
//   none (1)        | holds          | holds         | superseded   | -           | XXX
//   holds           | holds, anew    | promised      | superseded   | released    | none
//   released        | released       | holds         | superseded   | -           | none (2)
//
//   (1) also after a start. (2) a released epoch stays dead for as long as this is known.
#pragma once

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "cluster/lease/messages.hpp"
#include "cluster/lease/timing.hpp"

namespace vpnha::lease {

class Voter {
  public:
    struct Promise {
        Epoch epoch;
        TimePoint until{};
        bool released = false;
        friend bool operator==(const Promise&, const Promise&) = default;
    };
    struct Timed {
        NodeId node;
        TimePoint at{};
        friend bool operator==(const Timed&, const Timed&) = default;
    };
    struct State {
        TimePoint started{};
        Epoch granted;  // Durable.
        Epoch ordered;  // Durable; the highest that ended by order.
        Marks marks;    // Durable; kMarksMax at most.
        Promise promise;
        // The promise is to a claim in vain: since when.
        std::optional<TimePoint> in_vain_since;
        std::optional<Timed> asked;  // By which node, and when last.
        std::optional<BootId> granted_to;
        std::optional<Received> received;  // The newest round answered; and when.
        TimePoint received_at{};
        Before before;  // Sent with answers to `granted`; and when that round was answered.
        TimePoint before_at{};
        Epoch previous;  // Granted before it, and elsewhere than to that node.
        Epoch previous_elsewhere;
        bool served = true;               // `granted`, as far as known.
        std::vector<Timed> answered_at;   // No older than an abstention.
        std::vector<Timed> absent_since;  // Voters that are missing from the quorate group.
        std::vector<NodeId> astray;       // Their clocks are.
        bool own_astray = false;          // A majority's are: the fault is this node's clock.
        friend bool operator==(const State&, const State&) = default;
    };

    // `elsewhere`: see Before.
    Voter(const Timing& timing, const Epoch& granted, const Epoch& ordered, const Epoch& elsewhere,
          Marks marks, TimePoint now);

    [[nodiscard]] Verdict judge(const Sender& sender, const Round& round, const Voters& own,
                                TimePoint now);
    // The verdict of judge(), without an effect.
    [[nodiscard]] Verdict opinion(const Sender& sender, const Round& round, const Voters& own,
                                  TimePoint now) const;
    // A Release of an epoch in which no node served: it does not count as another node's.
    void on_decline(const Epoch& epoch);
    void on_release(const Epoch& epoch);
    // It ended by order. A hostile member could at most keep standbys from standing in by this;
    // `plausible` epochs only.
    void on_order(const Epoch& epoch);
    // No higher epoch was granted since an order ended one. `known`: the highest epoch that was
    // claimed; this voter may have missed its rounds.
    [[nodiscard]] bool ended_by_order(const Epoch& known) const {
        return state_.ordered != Epoch{} && state_.ordered >= std::max(state_.granted, known);
    }
    // At the request of a node that has received something of that life.
    void mark(NodeId victim, const BootId& boot, const std::vector<NodeId>& voters);
    // The marks of another node; see voters.hpp. They join this node's own and replace none of
    // them: boot ids have no order, so the newer one of two lives is unknown. The mark of a life
    // that is over refuses nobody. If there is no room, a mark of one of `voters` replaces that of
    // a node that does not vote, and any other mark is dropped: so two nodes that send each other
    // their marks come to an end.
    void join_marks(const Marks& marks, const std::vector<NodeId>& voters);
    // Others' memory of this node's votes: nothing lower is granted any more.
    void remember(const Epoch& granted);
    // Marked, and no promise to that life of the node holds any more, for any L: an abstention
    // after the last answer to it, or after the start, before which answers are not known.
    [[nodiscard]] bool run_out(NodeId victim, const BootId& boot, TimePoint now) const;
    // `missing`: voters that are missing from this node's group; none unless it is quorate.
    void on_missing(const std::vector<NodeId>& missing, TimePoint now);
    // Nodes whose clocks leave the bound of ρ, by this node's own: with three voters or more, no
    // claim of theirs is granted. An epoch that was granted continues.
    void on_astray(std::vector<NodeId> nodes, bool own) {
        state_.astray = std::move(nodes);
        state_.own_astray = own;
    }
    // For a claim that ends this node's own lease: if its own clock is astray, the others' are
    // right, and it grants nobody anything until its clock is.
    void forgive_clocks() {
        if (state_.own_astray) {
            state_.astray.clear();
        }
    }
    // The quorate group misses it now.
    [[nodiscard]] bool is_absent(NodeId node) const;

    // Only the promise keeps this node from answering another one. Has no effect unless the promise
    // is to a claim in vain: see Timing::unheld.
    void on_asked(TimePoint now);
    // It is not to be answered. The time is the claimant's, so all voters stop together.
    [[nodiscard]] bool rests_from(const Round& round, TimePoint now) const;
    // When this node may ask though its promise lasts; nullopt: not before it has ended.
    [[nodiscard]] std::optional<TimePoint> in_vain_since() const { return state_.in_vain_since; }
    [[nodiscard]] TimePoint abstains_until() const { return state_.started + timing_.abstention(); }
    [[nodiscard]] bool abstains(TimePoint now) const;
    [[nodiscard]] bool is_marked(NodeId node, const BootId& boot) const;
    [[nodiscard]] const Epoch& granted() const { return state_.granted; }
    [[nodiscard]] const Epoch& ordered() const { return state_.ordered; }
    [[nodiscard]] const Before& before() const { return state_.before; }
    [[nodiscard]] const State& state() const { return state_; }
    friend bool operator==(const Voter&, const Voter&) = default;

  private:
    [[nodiscard]] Verdict grant(const Sender& sender, const Epoch& epoch, TimePoint now);
    // Makes room for one more mark, at the expense of a node that does not vote. False: every mark
    // is a voter's.
    bool make_room(const std::vector<NodeId>& voters);
    [[nodiscard]] bool has_several_marks(NodeId node) const;
    void note_answer(const Sender& sender, const Round& round, TimePoint now);
    [[nodiscard]] bool misses(NodeId node, TimePoint now) const;

    Timing timing_;
    State state_;
};

}  // namespace vpnha::lease
