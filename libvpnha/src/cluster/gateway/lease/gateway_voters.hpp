// SPDX-License-Identifier: GPL-2.0-or-later
// The voters on the gateway's lease, and how well they reach this node: the list of voters and its
// changes, deaths that are confirmed, fence marks, hellos, the witness, the size of the lease.
// Pure. A function that asks the lease for something posts what follows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cluster/gateway/gateway_settings.hpp"
#include "cluster/gateway/keeper_list.hpp"
#include "cluster/gateway/lease/saved_lease.hpp"
#include "cluster/gateway/members.hpp"
#include "cluster/gateway/watch/lease_size.hpp"
#include "cluster/gateway/watch/round_lateness.hpp"
#include "cluster/gateway/watch/voter_watch.hpp"
#include "cluster/gateway/watch/witness_watch.hpp"

namespace vpnha::node {

// "1,witness"
[[nodiscard]] std::string voter_list(const std::vector<NodeId>& voters);

class GatewayVoters {
  public:
    // The parts of the gateway that this is about. They outlive it.
    struct Parts {
        const GatewaySettings& settings;
        SavedLease& lease;
        const replica::Replica& replica;
        const Members& members;
        const KeeperList& keepers;
    };
    explicit GatewayVoters(const Parts& parts);

    // Power is off at that node: of two voters the other one continues alone.
    [[nodiscard]] Result<void> confirm_dead(NodeId victim, lease::Confirmed by, TimePoint now,
                                            Effects& effects);
    // That node remembers nothing of the lease: this one, which has no memory, does not wait for
    // it.
    [[nodiscard]] Result<void> vote_without(NodeId node, TimePoint now, Effects& effects);
    // Which life of the victim marks can fence: the newest one that sent anything. An error names
    // what else to do.
    [[nodiscard]] Result<lease::BootId> fenceable(NodeId victim, TimePoint now) const;
    // Error: the witness, which has to mark as well, does not answer.
    [[nodiscard]] Result<void> reach_markers(NodeId victim, TimePoint now) const;
    // A voter answers the victim, or may: the witness has not reported since then whom it answers.
    [[nodiscard]] bool is_answered(NodeId victim, TimePoint since, TimePoint now) const;
    void ask_witness(Effects& effects);
    // Asks the voters to mark it; to be repeated until that is done.
    [[nodiscard]] Result<void> fence(NodeId victim, const lease::BootId& boot, TimePoint now,
                                     Effects& effects);
    // What has become of that; nullptr: this node has not asked for it.
    [[nodiscard]] const lease::Engine::Fencing* fencing(NodeId victim,
                                                        const lease::BootId& boot) const;

    // As corosync.conf has them now; whoever holds the lease changes its list step by step, and
    // adds a node when it is a member of the group.
    void configure(std::vector<NodeId> voters, TimePoint now, Effects& effects);
    // Voters that corosync.conf lists no more: their vpnhads have to run until the lists have
    // changed. The witness is among them where two answer.
    [[nodiscard]] std::vector<NodeId> leaving() const;
    // VotersDue.
    void adapt(TimePoint now, Effects& effects);
    // Logs that another node has other voters of the same version.
    void watch_lists(Effects& effects);
    // Logs effects of the lease that are about voters, and ignores all others.
    void log_news(const lease::Effect& effect, Effects& effects) const;
    // Voters that could grant this node the lease now, as far as it knows, and the others.
    struct Reach {
        std::vector<NodeId> present;
        std::vector<NodeId> missing;
    };
    [[nodiscard]] Reach reach(TimePoint now) const;

    // A datagram of the lease, before and after the engine has taken it.
    void before_message(const lease::Sender& sender, const lease::Message& message, TimePoint now);
    void after_message(const lease::Sender& sender, const lease::Message& message, TimePoint now);
    // The lease knows what this node's replica has.
    void note_position();
    void note_lateness(TimePoint now);
    // Sizes the lease; when it is time, sends hellos to the other voters, and logs what is new of
    // them.
    void on_time(TimePoint now, Effects& effects);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

    // The nodes' configurations name different witnesses.
    void set_witness_differing(bool differing) { witness_.set_differing(differing); }
    // This node's vpnha.toml names a witness, or the list of voters has one.
    [[nodiscard]] bool has_witness() const;
    [[nodiscard]] const WitnessWatch& witness() const { return witness_; }
    // Whose votes count for this node; reserve: how many of them more than a majority needs.
    [[nodiscard]] const VoterWatch& watch() const { return watch_; }
    [[nodiscard]] int reserve() const { return watch_.reserve(engine().state().voters); }
    // Of this node's own rounds while it holds the lease, which the others wait for.
    [[nodiscard]] const RoundLateness& lateness() const { return lateness_; }
    // nullopt: the lease does not size itself.
    [[nodiscard]] const std::optional<LeaseSize>& size() const { return size_; }

  private:
    [[nodiscard]] lease::Engine& engine() { return parts_.lease.engine(); }
    [[nodiscard]] const lease::Engine& engine() const { return parts_.lease.engine(); }
    [[nodiscard]] NodeId self() const { return parts_.settings.lease.self.node; }
    [[nodiscard]] std::string tag() const { return parts_.keepers.tag(); }
    // Its vote is not needed while the witness's is there, and not replaced while it is not.
    [[nodiscard]] Result<void> confirm_dead_beside_witness(NodeId victim, lease::Confirmed by,
                                                           TimePoint now) const;
    [[nodiscard]] std::vector<NodeId> wanted_voters() const;
    void note_size(const lease::Sender& sender, const lease::Message& message, TimePoint now);
    void size_lease(TimePoint now, Effects& effects);
    void watch_voters(TimePoint now, Effects& effects);
    void watch_witness(TimePoint now, Effects& effects);
    void emit_hello(TimePoint now, Effects& effects);

    Parts parts_;
    std::vector<NodeId> configured_;
    VoterWatch watch_;
    WitnessWatch witness_;
    RoundLateness lateness_;
    std::optional<LeaseSize> size_;
};

}  // namespace vpnha::node
