// SPDX-License-Identifier: GPL-2.0-or-later
// One gateway on one node: joins its replica, its lease, its takeover and the keepers of its
// records (protocols/keeper.hpp), each of which it finds by a record's type. Pure.
//
// Every public event ends with the replica's due messages, unless the group is blocked: then
// changes pile up in the dirty set, where newer ones replace older ones, until it is writable
// again.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/session_identity.hpp"
#include "base/time.hpp"
#include "cluster/effects/effects.hpp"
#include "cluster/gateway/attachment.hpp"
#include "cluster/gateway/blockers.hpp"
#include "cluster/gateway/event_queue.hpp"
#include "cluster/gateway/gate.hpp"
#include "cluster/gateway/gateway_settings.hpp"
#include "cluster/gateway/keeper_list.hpp"
#include "cluster/gateway/keeper_steps.hpp"
#include "cluster/gateway/lease/gateway_voters.hpp"
#include "cluster/gateway/lease/grants.hpp"
#include "cluster/gateway/lease/saved_lease.hpp"
#include "cluster/gateway/links.hpp"
#include "cluster/gateway/members.hpp"
#include "cluster/gateway/stand_in.hpp"
#include "cluster/gateway/transition.hpp"
#include "cluster/gateway/watch/history.hpp"
#include "cluster/gateway/watch/holder_pulse.hpp"
#include "cluster/gateway/watch/holder_watch.hpp"
#include "cluster/gateway/worth/own_lease.hpp"
#include "cluster/gateway/worth/planned_move.hpp"
#include "cluster/gateway/worth/score.hpp"
#include "cluster/lease/engine.hpp"
#include "cluster/replica/gateway_clock.hpp"
#include "cluster/replica/replica.hpp"
#include "cluster/takeover/takeover.hpp"
#include "cluster/wire/codec.hpp"
#include "protocols/families.hpp"

namespace vpnha::node {

// Promotion scores: few levels, so that they are seldom written.
inline constexpr int kScoreComplete = 100;
inline constexpr int kScorePartial = 10;
inline constexpr int kScoreEmpty = 1;
// Of a score, for each side that counts as lost: 100 becomes 70 or 40. A node with everything and
// bad links stays above one that lacks sessions; once that one is in sync it gets the gateway.
inline constexpr int kPercentForLostSide = 30;
// Of a score, where this node's clock differs from that of the node that serves.
inline constexpr int kPercentForClock = 10;
// Where standbys stand in, Pacemaker is to promote the one that does: of equal scores it takes any.
// The promoted node's is higher than a standby's by more than cib-templates/apart.crm takes off it.
inline constexpr int kScoreFirstToStandIn = 1;
inline constexpr int kScorePromoted = 9;
// Of the node that is to have the role: beyond what preferences and stickiness come to.
inline constexpr int kScoreCalls = 10'000;

// What would become of the gateway's sessions at one node.
struct PlanRow {
    NodeId node;
    wire::Level standing{};
    replica::Coverage coverage;
};

// Who gives the role to whom, out of which epoch.
struct MovePlan {
    NodeId from;
    NodeId to;
    Epoch epoch;
};

// Why the role is to leave this node, or to come to it; except for the links.
struct Wishes {
    OwnLease own_lease;
    PlannedMove planned;
};

// What this node knows of the others, and owes them.
struct Others {
    HolderWatch holder{};
    Members members;
    replica::GatewayClock clock;
    HolderPulse pulse{};
    std::vector<TimePoint> announcements{};  // Repeated, to the neighbours.
    std::set<NodeId> busy{};                 // As StandIn::busy() has it.
};

struct GatewayCounters {
    std::uint64_t links_lost = 0;    // Of either side.
    std::uint64_t given_away = 0;    // The gateway, because another node's links were better.
    std::uint64_t saves_failed = 0;  // Of what the lease must remember.
    std::uint64_t unanswered = 0;    // It was given away because no majority granted the lease.
    std::uint64_t switchovers = 0;   // To this node, as it was asked to.
    std::uint64_t takeovers = 0;     // Times at which its gate was opened.
};

class GatewayNode {
  public:
    // `speech` must outlive it.
    GatewayNode(GatewaySettings settings, const Speech& speech,
                std::span<const keepers::Make> families);
    GatewayNode(const GatewayNode&) = delete;
    GatewayNode& operator=(const GatewayNode&) = delete;

    // An agent's start and stop. While detached the gateway's messages are ignored.
    void attach(const std::string& resource, const std::set<NodeId>& members, bool quorate,
                TimePoint now, Effects& effects);
    void detach(RequestToken request, TimePoint now, Effects& effects);
    // Nothing is kept any more of a gateway that was stopped.
    void end_stopped(Effects& effects);
    void promote(RequestToken request, TimePoint now, Effects& effects);
    void demote(RequestToken request, TimePoint now, Effects& effects);
    // Ends that this node stands in; nobody takes over from it.
    void stop_standing_in(RequestToken request, TimePoint now, Effects& effects);
    void on_step_done(takeover::Step step, const Result<void>& result, TimePoint now,
                      Effects& effects);

    void on_members(const std::set<NodeId>& members, bool quorate, TimePoint now, Effects& effects);
    // That member's vpnhad has died, its node lives; on_members() follows.
    void on_process_died(NodeId member, TimePoint now, Effects& effects);
    void on_echo(NodeId node, TimePoint now) { others_.pulse.on_echo(node, now); }
    void on_message(NodeId sender, const wire::Message& message, TimePoint now, Effects& effects);
    // A message of that member could not be read.
    void on_malformed(NodeId sender, TimePoint now, Effects& effects);
    // Authentic, and not replayed. A node votes whether it takes part in the gateway or not.
    void on_lease_message(const lease::Sender& sender, const lease::Message& message, TimePoint now,
                          Effects& effects);
    void on_lease_saved(std::uint64_t ticket, const Result<void>& result, TimePoint now,
                        Effects& effects);
    // This node, `name`, is left with sessions that nobody keeps, unless another one takes them.
    void on_service_died(const std::string& resource, const std::string& name, Effects& effects);
    void on_probe(Effects& effects);
    // The device of that side has got or lost its carrier; one of the neighbours there has
    // answered.
    void on_carrier(LinkSide side, bool carrier, TimePoint now, Effects& effects);
    void on_neighbour(LinkSide side, const IpAddress& address, TimePoint now);
    // Somebody had removed addresses, and they are back: if this node serves, its neighbours are
    // told as at a promotion.
    void announce_again(TimePoint now, Effects& effects);
    // News of the kernel, and of what else keepers listen to.
    void on_event(const KeeperEvent& event, TimePoint now, Effects& effects);
    void resync(TimePoint now, Effects& effects);
    // Whether the role could be moved now, to that node or to the best one. An error says why not.
    [[nodiscard]] Result<MovePlan> plan_move(std::optional<NodeId> wanted) const;
    // Asks the group for it. To be repeated until the role has moved: see kMoveLasts.
    void ask_move(const MovePlan& plan);
    // Those of sessions() that a RADIUS server may mean, two at most. Error: this node cannot know,
    // and where, or when, to ask.
    [[nodiscard]] Result<std::vector<wire::RecordKey>> sessions_named(
        const SessionIdentity& identity) const;
    // Ends one of sessions(), and tells its client; at the promoted node only.
    [[nodiscard]] Result<void> end_session(const wire::RecordKey& session, TimePoint now,
                                           Effects& effects);
    // The same for its terms, which are returned as they are then.
    [[nodiscard]] Result<ppp::Terms> change_session(const wire::RecordKey& session,
                                                    const ppp::TermsChange& change, TimePoint now,
                                                    Effects& effects);
    // The promoted node is to take no new clients, from that time on; nullopt: to take them again.
    [[nodiscard]] Result<void> drain(std::optional<std::uint64_t> since_unix_ms, TimePoint now,
                                     Effects& effects);
    // Power is off at that node: of two voters the other one goes on alone.
    [[nodiscard]] Result<void> confirm_dead(NodeId victim, lease::Confirmed by, TimePoint now,
                                            Effects& effects);
    // That node remembers nothing of the lease: this one, which has no memory, does not wait for
    // it.
    [[nodiscard]] Result<void> vote_without(NodeId node, TimePoint now, Effects& effects);
    void ask_witness(TimePoint now, Effects& effects);
    // Asks the voters to mark it; to be repeated until that is done.
    [[nodiscard]] Result<void> fence(NodeId victim, const lease::BootId& boot, TimePoint now,
                                     Effects& effects);
    // As corosync.conf has them now; whoever holds the lease changes its list step by step, and
    // adds a node when it is a member of the group.
    void set_voters(std::vector<NodeId> voters, TimePoint now, Effects& effects);
    // Items in which this node's set-up differs from the promoted node's so that sessions would not
    // go on; none: equal, or nobody is promoted.
    void set_differences(std::vector<std::string> items) {
        blockers_.set_differences(std::move(items));
    }
    // Which witness there is: the nodes' configurations say different ones.
    void set_witness_differing(bool differing) { voters_.set_witness_differing(differing); }
    // What of the gateway's routing on this node is somebody else's, in words; none: nothing.
    void set_routing(std::vector<std::string> conflicts) {
        blockers_.set_routing(std::move(conflicts));
    }

    void set_busy(std::set<NodeId> nodes) { others_.busy = std::move(nodes); }

    // See Links::set_macs().
    void set_macs(const SideMacs& macs) { links_.set_macs(macs); }

    // Unix time less CLOCK_BOOTTIME, of this node.
    void set_wall(Duration wall) { others_.clock.set_wall(wall); }

    void on_time(TimePoint now, Effects& effects);

    // What a transition waits for may have come; to be called after every event.
    void go_on(TimePoint now, Effects& effects);
    // Messages and scores that became due; to be called after every event when the group takes
    // them.
    void flush(TimePoint now, Effects& effects);
    void withhold_records(bool withheld) { replica_.withhold_records(withheld); }
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

    [[nodiscard]] bool attached() const { return attachment_.attached(); }
    // An agent has stopped it. It takes no part any more, but that it may still drain.
    [[nodiscard]] bool detaching() const { return attachment_.leaving(); }
    // It keeps its records, in case the gateway is started again; nullopt: it is not stopped.
    [[nodiscard]] std::optional<TimePoint> kept_until() const { return attachment_.kept_until(); }
    // A start may take the stop back: it serves still, or has kept its records.
    [[nodiscard]] bool may_return() const { return attachment_.stopped() || takeover_.serves(); }
    // A node that takes part in the gateway has all that this one has.
    [[nodiscard]] bool others_have_records() const;
    [[nodiscard]] const GatewaySettings& settings() const { return settings_; }
    [[nodiscard]] const replica::Replica& replica() const { return replica_; }
    [[nodiscard]] const lease::Engine& lease() const { return saved_.engine(); }
    [[nodiscard]] const SavedLease& saved_lease() const { return saved_; }
    [[nodiscard]] const GatewayVoters& voters() const { return voters_; }
    [[nodiscard]] const Links& links() const { return links_; }
    [[nodiscard]] const replica::GatewayClock& clock() const { return others_.clock; }
    // Of that class; nullptr: this node has no such family.
    template <class Family>
    [[nodiscard]] const Family* keeper() const {
        return keepers_.find<Family>();
    }
    [[nodiscard]] takeover::State state() const { return takeover_.state(); }
    // Promoted or draining, or it stands in for a holder.
    [[nodiscard]] bool serves() const {
        return takeover_.serves() || state() == takeover::State::standing_in;
    }
    // It serves in another node's place, and Pacemaker has not promoted it.
    [[nodiscard]] bool stands_in() const { return stand_in_.unconfirmed(); }
    [[nodiscard]] const StandIn& stand_in() const { return stand_in_; }
    // Promoted for Pacemaker, and silent: so few voters are members that no node could be granted
    // the lease. The promotion goes on when one is back, or confirmed dead.
    [[nodiscard]] bool waits() const { return grants_.waits_in_silence(); }
    // For Pacemaker.
    [[nodiscard]] bool is_promoted() const {
        const bool promoted = state() == takeover::State::promoted ||
                              state() == takeover::State::standing_in || waits();
        return (promoted && !stands_in()) || stand_in_.deposed();
    }
    // As `vpnha status` names it.
    [[nodiscard]] std::string_view role() const;
    [[nodiscard]] const History& history() const { return history_; }
    [[nodiscard]] std::optional<int> score() const { return score_.written(); }
    // One family after the other. Fewer than `part.max`: there are no more.
    [[nodiscard]] std::vector<keepers::SessionView> sessions(
        const keepers::ListPart& part = {}) const {
        return keepers_.sessions(part);
    }
    [[nodiscard]] keepers::SessionTotals session_totals() const {
        return keepers_.session_totals();
    }
    // The replica's level, lowered by the blockers().
    [[nodiscard]] wire::Level standing() const { return blockers_.standing(replica_); }
    // In words for the operator; empty when this node would resume everything.
    [[nodiscard]] std::vector<std::string> blockers() const { return blockers_.list(replica_); }
    // What would be kept, for every member; the promoted node itself is not in it.
    [[nodiscard]] std::vector<PlanRow> plan() const;
    [[nodiscard]] GatewayCounters counters() const;
    // Of the newest planned move.
    [[nodiscard]] const std::optional<PlannedMove::Report>& move_report() const {
        return wishes_.planned.report();
    }
    // What the node calls itself, or its number.
    [[nodiscard]] std::string name_of(NodeId node) const;
    // What this node tells the others about the gateway.
    [[nodiscard]] wire::GatewayState wire_state() const;
    // Of all keepers.
    [[nodiscard]] keepers::Counts counts() const { return keepers_.counts(); }
    [[nodiscard]] Status status(TimePoint now) const { return keepers_.status(now); }

  private:
    // The error names the node that is.
    [[nodiscard]] Result<void> check_promoted() const;
    // Its lease holds as well.
    [[nodiscard]] Result<void> check_heard() const;
    // Handles what the queue has, and what follows from it.
    void drain(TimePoint now, Effects& effects);
    void handle(InternalEvent&& event, TimePoint now, Effects& effects);
    void follow(const takeover::Next& next, TimePoint now, Effects& effects);
    void plan_announcements(TimePoint now);
    void finish(bool succeeded, TimePoint now, Effects& effects);
    // A gateway that was stopped: its records are worth keeping, and no successor has them.
    [[nodiscard]] bool keeps_records() const;
    // It is silent: what it has is kept, or ends.
    void leave(TimePoint now, Effects& effects);
    void watch_stopped(TimePoint now, Effects& effects);
    void end_attachment(Effects& effects);
    // The one that the step under way is about.
    [[nodiscard]] Epoch epoch_of_step() const;
    void run_inner_step(takeover::Step step, TimePoint now, Effects& effects);
    void begin_grant(TimePoint now, Effects& effects);
    void ask_for_grant(TimePoint now);
    // The replica that a promotion waits for may be complete.
    void go_on_promoting(TimePoint now);
    // Why this node is not to claim the gateway with its replica; empty: it may.
    [[nodiscard]] std::string objection_to_claim() const;
    void refuse_grant(const std::string& why);
    // The time for the grant is over.
    void end_grant(TimePoint now, Effects& effects);
    void await_voters(const std::vector<NodeId>& missing, TimePoint now, Effects& effects);
    void on_granted(const lease::Granted& granted, TimePoint now, Effects& effects);
    // A lease that had lapsed was granted anew without a quorate ring, and there is one now.
    [[nodiscard]] bool claim_is_due() const;
    // In the group, in the epoch that was granted after a lapse. False: it is given back.
    bool claim_anew(TimePoint now, Effects& effects);
    void decline(const std::string& why, Effects& effects);
    void on_lease_ended(const lease::Ended& ended, TimePoint now, Effects& effects);
    // A promoted node whose lease is gone: its keepers pause.
    void be_silent(lease::End why, Effects& effects);
    // The promotion is over; the lease may have lapsed, or been granted anew, in the midst of it.
    void heed_lapse(TimePoint now, Effects& effects);
    // A voter has granted a higher epoch than this one, which no majority did; or a member
    // remembers one that a majority has forgotten. It would refuse this node until there is a newer
    // one.
    void claim_above_members(TimePoint now, Effects& effects);
    [[nodiscard]] Result<void> claim(TimePoint now, Effects& effects);
    void take(replica::Effects&& from, TimePoint now, Effects& effects);
    // LeaseReady.
    void carry_out(lease::Effects&& from, TimePoint now, Effects& effects);
    [[nodiscard]] Score::Worth worth(TimePoint now) const;
    void write_score(TimePoint now, Effects& effects);
    void ask_neighbours(TimePoint now, Effects& effects);
    // Says what is new of the links, and decides whether another node is to have the gateway.
    void watch_links(TimePoint now, Effects& effects);
    // The standby in sync with the fewest lost sides, and how many these are.
    [[nodiscard]] std::optional<std::pair<NodeId, unsigned>> best_standby() const;
    // Sides by which this node's score is lower.
    [[nodiscard]] unsigned scored_loss() const;
    [[nodiscard]] HolderWatch::Sight sight() const;
    // Names the sessions that the end of this pass removes here.
    void log_lost(NodeId sender, const wire::SnapshotEnd& end, Effects& effects) const;
    // Tells Pacemaker of a holder that does not serve.
    void watch_holder(TimePoint now, Effects& effects);
    // A promoted node that is granted no lease, where another one could be, gives the role away.
    void watch_own_lease(TimePoint now, Effects& effects);
    // What time it is for the gateway's sessions, and for the node that serves.
    void on_clock(NodeId sender, const wire::Clock& clock, TimePoint now, Effects& effects);
    void flush_clock(TimePoint now, Effects& effects);
    // A planned move.
    void on_move(NodeId sender, const wire::Move& move, TimePoint now, Effects& effects);
    // The promotion has ended, well or not.
    void end_move(bool is_promoted);
    // This node's score is above all others.
    [[nodiscard]] bool calls_for_role(TimePoint now) const;
    [[nodiscard]] wire::GatewayState state_of(NodeId node) const;
    // Why that node cannot have the role; empty: it can.
    [[nodiscard]] std::string objection_to(NodeId node) const;
    // Standing in for a holder that is not heard.
    [[nodiscard]] bool may_stand_in() const;
    // In whose place: the node whose epoch the group has heard last.
    [[nodiscard]] NodeId last_holder() const { return replica_.epoch().node; }
    [[nodiscard]] std::optional<StandIn::Turn> turn_to_stand_in() const;
    // All sessions of the gateway are in this node's kernel.
    [[nodiscard]] bool can_serve_all() const;
    // Its place among the standbys that could, without these.
    [[nodiscard]] std::size_t rank_without(const std::set<NodeId>& gone) const;
    void watch_stand_in(TimePoint now, Effects& effects);
    void watch_standing_in(TimePoint now, Effects& effects);
    void watch_pulse(const StandIn::Turn& turn, TimePoint now, Effects& effects);
    void begin_standing_in(TimePoint now, Effects& effects);
    void say_barrier(Effects& effects);
    void hear_group(TimePoint now, Effects& effects);
    // The group has been told of this node's epoch.
    void on_told(TimePoint now);
    void on_barrier(NodeId sender, const wire::Barrier& barrier, TimePoint now, Effects& effects);
    // What that member's hello says of this.
    void note_standing_in(NodeId sender, TimePoint now);
    void yield_to_others(TimePoint now);
    void confirm(RequestToken request, TimePoint now, Effects& effects);
    void give_up_claim(std::string_view why, TimePoint now, Effects& effects);
    // Silent at once, or at the end of the step under way.
    void end_standing_in(std::string_view why, TimePoint now, Effects& effects);
    [[nodiscard]] int score_for_standing_in(unsigned loss) const;
    // Steps that wait for the keepers.
    void go_on_warming(TimePoint now, Effects& effects);
    // The gate shuts for that node's claim; what comes is sent on to it, if it can hold that.
    void leave_gate(const lease::Leave& leave, TimePoint now, Effects& effects);
    // What comes waits for this node's gate from now on.
    void hold_gate(TimePoint now, Effects& effects);
    void go_on_leaving(TimePoint now);
    void go_on_giving_back(TimePoint now, Effects& effects);
    void begin_handing_over(TimePoint now, Effects& effects);
    void go_on_handing_over(TimePoint now, Effects& effects);
    void go_on_turning(TimePoint now, Effects& effects);
    void remove_everything(Effects& effects);
    [[nodiscard]] NodeId self() const { return settings_.lease.self.node; }
    // "gateway=l2tp epoch=3.1"
    [[nodiscard]] std::string tag() const { return keepers_.tag(); }

    GatewaySettings settings_;
    const Speech& speech_;
    EventQueue events_;
    Attachment attachment_;
    replica::Replica replica_;
    SavedLease saved_;
    takeover::Takeover takeover_;
    Transition transition_;
    KeeperList keepers_;
    Grants grants_;
    Gate gate_;
    KeeperSteps keeper_steps_;
    Blockers blockers_;
    Score score_;
    Others others_;
    GatewayVoters voters_;
    Wishes wishes_;
    StandIn stand_in_;
    Links links_;
    History history_;
};

}  // namespace vpnha::node
