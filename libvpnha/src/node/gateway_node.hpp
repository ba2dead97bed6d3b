// SPDX-License-Identifier: GPL-2.0-or-later
// One gateway on one node: joins its replica, its lease, its takeover and the keepers of its
// records (keepers/keeper.hpp), each of which it finds by a record's type. Pure.
//
// Every public event ends with the replica's due messages, unless the group is blocked: then
// changes pile up in the dirty set, where newer ones replace older ones, until it is writable
// again.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "effects/effects.hpp"
#include "keepers/families.hpp"
#include "lease/engine.hpp"
#include "node/holder_watch.hpp"
#include "node/links.hpp"
#include "node/readings.hpp"
#include "node/score.hpp"
#include "node/stand_in.hpp"
#include "node/voter_watch.hpp"
#include "replica/replica.hpp"
#include "takeover/takeover.hpp"
#include "wire/codec.hpp"

namespace vpnha::node {

struct GatewaySettings {
    GatewayId id{};
    std::string name;
    LinkSettings links;
    keepers::Settings keepers;
    lease::Setup lease;
    bool stand_in = false;  // As a standby it serves for a holder that is not heard.
    std::optional<lease::Durable> durable;  // What the lease remembers from before the start.
    TimePoint started_at{};
};

// How a node puts messages into bytes: in the version that all members know.
struct Speech {
    wire::Dialects dialects;
    std::uint8_t version = 0;
    [[nodiscard]] Bytes encode(const wire::Message& message) const {
        return dialects.encode(message, version);
    }
};

// Promotion scores: few levels, so that they are seldom written.
inline constexpr int kScoreComplete = 100;
inline constexpr int kScorePartial = 10;
inline constexpr int kScoreEmpty = 1;
// Of a score, for each side that counts as lost: 100 becomes 70 or 40. A node with everything and
// bad links stays above one that lacks sessions; once that one is in sync it gets the gateway.
inline constexpr int kPercentForLostSide = 30;
// Where standbys stand in, Pacemaker is to promote the one that does: of equal scores it takes any.
// The promoted node's is never lower than a standby's.
inline constexpr int kScoreFirstToStandIn = 1;
inline constexpr int kScorePromoted = 2;

// What would become of the gateway's sessions at one node.
struct PlanRow {
    NodeId node;
    wire::Level standing{};
    replica::Coverage coverage;
};

struct GatewayCounters {
    std::uint64_t links_lost = 0;    // Of either side.
    std::uint64_t given_away = 0;    // The gateway, because another node's links were better.
    std::uint64_t saves_failed = 0;  // Of what the lease must remember.
    std::uint64_t unanswered = 0;    // It was given away because no majority granted the lease.
};

class GatewayNode {
  public:
    // `speech` must outlive it.
    GatewayNode(GatewaySettings settings, NodeId self, const Speech& speech,
                std::span<const keepers::Make> families);
    GatewayNode(const GatewayNode&) = delete;
    GatewayNode& operator=(const GatewayNode&) = delete;

    // An agent's start and stop. While detached the gateway's messages are not listened to.
    void attach(const std::string& resource, const std::set<NodeId>& members, bool quorate,
                TimePoint now, Effects& effects);
    void detach(RequestToken request, TimePoint now, Effects& effects);
    void promote(RequestToken request, TimePoint now, Effects& effects);
    void demote(RequestToken request, TimePoint now, Effects& effects);
    // Ends that this node acts; nobody takes over from it.
    void stop_acting(RequestToken request, TimePoint now, Effects& effects);
    void on_step_done(takeover::Step step, const Result<void>& result, TimePoint now,
                      Effects& effects);

    void on_members(const std::set<NodeId>& members, bool quorate, TimePoint now, Effects& effects);
    // That member's vpnhad has died, its node lives; on_members() follows.
    void on_process_died(NodeId member, TimePoint now);
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
    // Power is off at that node: of two voters the other one goes on alone.
    [[nodiscard]] Result<void> confirm_dead(NodeId victim, lease::Confirmed by, TimePoint now,
                                            Effects& effects);
    // That node remembers nothing of the lease: this one, which has no memory, does not wait for
    // it.
    [[nodiscard]] Result<void> vote_without(NodeId node, TimePoint now, Effects& effects);
    // Which life of the victim marks can fence: the one heard last. An error says what else to do.
    [[nodiscard]] Result<lease::BootId> fenceable(NodeId victim) const;
    // Asks the voters to mark it; to be repeated until is_fenced().
    [[nodiscard]] Result<void> fence(NodeId victim, const lease::BootId& boot, TimePoint now,
                                     Effects& effects);
    // This node has asked for it, and no promise to that life holds any more.
    [[nodiscard]] bool is_fenced(NodeId victim, const lease::BootId& boot) const;
    // As corosync.conf has them now; whoever holds the lease changes its list step by step, and
    // adds a node when it is a member of the group.
    void set_voters(std::vector<NodeId> voters, TimePoint now, Effects& effects);
    // Items in which this node's set-up differs from the promoted node's so that sessions would not
    // go on; none: equal, or nobody is promoted.
    void set_differences(std::vector<std::string> items) { differences_ = std::move(items); }

    void on_time(TimePoint now, Effects& effects);

    // What a transition waits for may have come; to be called after every event.
    void go_on(TimePoint now, Effects& effects);
    // Messages and scores that became due; to be called after every event when the group takes
    // them.
    void flush(TimePoint now, Effects& effects);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

    [[nodiscard]] bool attached() const { return attached_; }
    // No part of the gateway any more, but for what is lame.
    [[nodiscard]] bool detaching() const { return detaching_; }
    [[nodiscard]] const GatewaySettings& settings() const { return settings_; }
    // The disk takes what the lease must remember; while it does not, this node does not vote.
    [[nodiscard]] bool saves() const { return saves_; }
    // Whose votes count for this node; reserve: how many of them more than a majority needs.
    [[nodiscard]] std::vector<VoterWatch::Vote> votes() const { return voter_watch_.votes(); }
    [[nodiscard]] int reserve() const { return voter_watch_.reserve(lease_.state().voters); }
    [[nodiscard]] const replica::Replica& replica() const { return replica_; }
    [[nodiscard]] const lease::Engine& lease() const { return lease_; }
    [[nodiscard]] const Links& links() const { return links_; }
    // Of that class; nullptr: this node has no such family.
    template <class Family>
    [[nodiscard]] const Family* keeper() const {
        for (const auto& each : keepers_) {
            if (const auto* family = dynamic_cast<const Family*>(each.get())) {
                return family;
            }
        }
        return nullptr;
    }
    [[nodiscard]] takeover::State state() const { return takeover_.state(); }
    // Promoted or lame, or it stands in for a holder.
    [[nodiscard]] bool serves() const {
        return takeover_.serves() || state() == takeover::State::standing_in;
    }
    // It serves in another node's place, and Pacemaker has not promoted it.
    [[nodiscard]] bool acting() const { return stand_in_.unconfirmed(); }
    [[nodiscard]] const StandIn& stand_in() const { return stand_in_; }
    // Promoted for Pacemaker, and silent: so few voters are members that no node could be granted
    // the lease. The promotion goes on when one is back, or confirmed dead.
    [[nodiscard]] bool waits() const { return waits_; }
    // For Pacemaker.
    [[nodiscard]] bool is_promoted() const {
        const bool promoted = state() == takeover::State::promoted ||
                              state() == takeover::State::standing_in || waits();
        return (promoted && !acting()) || stand_in_.deposed();
    }
    [[nodiscard]] std::optional<int> score() const { return score_.written(); }
    [[nodiscard]] std::vector<keepers::SessionView> sessions() const;
    // The replica's level, lowered by what stands_in_the_way().
    [[nodiscard]] wire::Level standing() const;
    // In words for the operator; empty when this node would go on with everything.
    [[nodiscard]] std::vector<std::string> stands_in_the_way() const;
    // What would be kept, for every member; the promoted node itself is not in it.
    [[nodiscard]] std::vector<PlanRow> plan() const;
    [[nodiscard]] const GatewayCounters& counters() const { return counters_; }
    // What this node tells the others about the gateway.
    [[nodiscard]] wire::GatewayState wire_state() const;
    // Of all keepers.
    [[nodiscard]] keepers::Counts counts() const;

  private:
    // This gateway, as its keepers see it.
    class Kept final : public keepers::Gateway {
      public:
        explicit Kept(GatewayNode& node) : node_(node) {}
        [[nodiscard]] GatewayId id() const override { return node_.settings_.id; }
        [[nodiscard]] replica::Replica& replica() override { return node_.replica_; }
        [[nodiscard]] const replica::Replica& replica() const override { return node_.replica_; }
        [[nodiscard]] bool is_attached() const override { return node_.attached_; }
        [[nodiscard]] bool is_served() const override { return node_.takeover_.serves(); }
        [[nodiscard]] bool is_heard() const override { return node_.lease_.holder().serving(); }
        void install_missing(TimePoint now, Effects& effects) override {
            node_.take(node_.replica_.install_missing(), now, effects);
        }
        [[nodiscard]] std::string tag() const override { return node_.tag(); }

      private:
        GatewayNode& node_;
    };

    // nullptr: this release does not know the type.
    [[nodiscard]] keepers::Keeper* keeper_of(wire::RecordType type) const;
    void follow(const takeover::Next& next, TimePoint now, Effects& effects);
    void plan_announcements(TimePoint now);
    void on_services_reset(bool succeeded, TimePoint now, Effects& effects);
    void finish(bool succeeded, Effects& effects);
    // A promotion, and a demotion that overtook it, have each their own answer.
    [[nodiscard]] Result<void> result_for(bool promotion, bool succeeded) const;
    void run_inner_step(takeover::Step step, TimePoint now, Effects& effects);
    void begin_grant(TimePoint now, Effects& effects);
    void refuse_grant(const std::string& why, TimePoint now, Effects& effects);
    // The time for the grant is over.
    void end_grant(TimePoint now, Effects& effects);
    void await_voters(const std::vector<NodeId>& missing, TimePoint now, Effects& effects);
    void on_granted(const lease::Granted& granted, TimePoint now, Effects& effects);
    // Another node may have been granted the lease after this one's own epoch, as a voter remembers
    // or is not able to deny: what this one has of the sessions may be old, though nobody has told
    // it so yet.
    [[nodiscard]] bool served_since(const lease::Granted& granted, TimePoint now) const;
    void on_lease_ended(const lease::Ended& ended, TimePoint now, Effects& effects);
    void adapt_voters(TimePoint now, Effects& effects);
    // Says when another node has other voters of the same version.
    void watch_lists(Effects& effects);
    // A voter has granted a higher epoch than this one, which no majority did; or a member
    // remembers one that a majority has forgotten. It would refuse this node until there is a newer
    // one.
    void claim_above_members(TimePoint now, Effects& effects);
    [[nodiscard]] Result<void> claim(TimePoint now, Effects& effects);
    void take(replica::Effects&& from, TimePoint now, Effects& effects);
    void take(lease::Effects&& from, TimePoint now, Effects& effects);
    // What the lease wants done now, because nothing that it rests on is missing on the disk.
    void carry_out(lease::Effects&& from, TimePoint now, Effects& effects);
    [[nodiscard]] bool rests_on_unsaved(const lease::Effect& effect) const;
    // By the record's type.
    void install(const replica::Install& wanted, TimePoint now, Effects& effects);
    void remove(const wire::RecordKey& key, Effects& effects);
    // It has heard of members, confirmations or changes.
    void on_replica(TimePoint now, Effects& effects);
    [[nodiscard]] Score::Worth worth() const;
    void write_score(TimePoint now, Effects& effects);
    void ask_neighbours(TimePoint now, Effects& effects);
    // Says what is new of the links, and decides whether another node is to have the gateway.
    void watch_links(TimePoint now, Effects& effects);
    // The standby in sync with the fewest lost sides, and how many these are.
    [[nodiscard]] std::optional<std::pair<NodeId, unsigned>> best_standby() const;
    // Sides by which this node's score is lower.
    [[nodiscard]] unsigned scored_loss() const;
    // Says hello to the other voters, and what is new of them.
    void watch_voters(TimePoint now, Effects& effects);
    [[nodiscard]] HolderWatch::Sight sight() const;
    // Tells Pacemaker of a holder that does not serve.
    void watch_holder(TimePoint now, Effects& effects);
    // A promoted node that is granted no lease, where another one could be, gives the role away.
    void watch_own_lease(TimePoint now, Effects& effects);
    [[nodiscard]] std::optional<TimePoint> next_look_at_own_lease() const;
    // Standing in for a holder that is not heard.
    [[nodiscard]] bool may_stand_in() const;
    [[nodiscard]] std::optional<StandIn::Turn> turn_to_stand_in() const;
    // Its place among the standbys that could, but for `holder`.
    [[nodiscard]] std::size_t rank_without(NodeId holder) const;
    void watch_stand_in(TimePoint now, Effects& effects);
    void watch_acting(TimePoint now, Effects& effects);
    void begin_standing_in(TimePoint now, Effects& effects);
    void say_barrier(Effects& effects);
    void hear_group(TimePoint now, Effects& effects);
    // The group has been told of this node's epoch.
    void on_told(TimePoint now);
    void on_barrier(NodeId sender, const wire::Barrier& barrier, TimePoint now, Effects& effects);
    // What that member's hello says of this.
    void note_acting(NodeId sender, TimePoint now);
    void yield_to_others(TimePoint now);
    void confirm(RequestToken request, TimePoint now, Effects& effects);
    void give_up_claim(std::string_view why, TimePoint now, Effects& effects);
    // Silent at once, or at the end of the step under way.
    void end_standing_in(std::string_view why, TimePoint now, Effects& effects);
    [[nodiscard]] int score_for_standing_in(unsigned loss) const;
    // Counters, from one holder to the next.
    [[nodiscard]] std::vector<keepers::Counted*> counted() const;
    // This replica has the records that the margin of the last grant counts from.
    [[nodiscard]] bool holds_margin() const;
    void begin_warming(TimePoint now, Effects& effects);
    void go_on_warming(TimePoint now, Effects& effects);
    void say_margin(const std::optional<Duration>& run_on, TimePoint now);
    void note_counters();
    void begin_handing_over(TimePoint now, Effects& effects);
    void go_on_handing_over(TimePoint now, Effects& effects);
    // Daemons that keepers turn.
    void begin_turning(TimePoint now, Effects& effects);
    void go_on_turning(TimePoint now, Effects& effects);
    [[nodiscard]] std::optional<TimePoint> next_look_at_counters() const;
    void remove_everything(Effects& effects);
    [[nodiscard]] std::string tag() const;  // "gateway=l2tp epoch=3.1"

    GatewaySettings settings_;
    NodeId self_;
    bool attached_ = false;
    bool detaching_ = false;
    const Speech& speech_;
    std::string resource_;
    replica::Replica replica_;
    Kept kept_{*this};
    std::vector<std::unique_ptr<keepers::Keeper>> keepers_;
    lease::Engine lease_;
    takeover::Takeover takeover_;
    StandIn stand_in_;
    Links links_;
    struct WaitingRequest {
        RequestToken token{};
        bool promotion = false;
    };
    std::vector<WaitingRequest> waiting_requests_;
    std::string failure_;  // First failed step of the transition under way.
    Score score_;
    HolderWatch holder_watch_;
    std::vector<std::string> differences_;
    // What was stock here may still run: it would speak through the gate of the next promotion.
    bool unreset_ = false;
    bool resetting_ = false;  // Once more, outside of a release.
    std::optional<TimePoint> reset_again_at_;
    std::vector<NodeId> differing_;  // As logged.
    // What the lease wants done once what was saved before it is on the disk; oldest first.
    struct Unsaved {
        std::uint64_t ticket;
        lease::Durable durable;
        lease::Effects effects;
    };
    std::deque<Unsaved> unsaved_;
    std::uint64_t tickets_ = 0;
    std::optional<lease::Durable> on_disk_;  // nullopt: nothing ever was.
    bool saves_ = true;
    Epoch granted_;  // By a majority, the last one.
    TimePoint granted_at_{};
    lease::Margin told_;  // With it.
    // While the step warm_counters runs.
    struct Warming {
        TimePoint since;
        bool begun = false;  // The keepers know.
    };
    std::optional<Warming> warming_;
    // While a successor waits for the last counters.
    struct HandingOver {
        TimePoint since;
        Epoch epoch;
        std::optional<std::uint64_t> last;  // The sequence that has them.
    };
    std::optional<HandingOver> handing_over_;
    Readings readings_;
    std::optional<TimePoint> turning_until_;  // While the steps (de)activate_services run.
    TimePoint reclaimed_until_{};  // The end of the lease that was given back for a higher epoch.
    std::optional<TimePoint> grant_until_;  // While the step grant runs.
    bool waits_ = false;                    // In that step, with its promotion answered.
    bool gate_wanted_ = false;              // Deadlines of the lease go to the gate.
    std::vector<TimePoint> announcements_;
    VoterWatch voter_watch_;
    std::optional<TimePoint> unleased_since_;  // Promoted without a lease that it could have.
    bool gives_role_away_ = false;             // For that reason.
    std::set<NodeId> members_;
    std::map<NodeId, TimePoint> joined_;  // Since when each of them is one.
    std::map<NodeId, std::string> member_names_;
    GatewayCounters counters_;
};

}  // namespace vpnha::node
