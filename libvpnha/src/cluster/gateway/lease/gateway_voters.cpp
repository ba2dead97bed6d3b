// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/lease/gateway_voters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cluster/lease/voters.hpp"

namespace vpnha::node {

namespace {

// How long a vpnhad abstains after its start and asks for what it lost; and a reserve.
constexpr Duration kVoterSettle = std::chrono::seconds(1);

std::int64_t in_ms(Duration time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

std::string voter_name(NodeId node) {
    return lease::is_witness(node) ? "the witness" : fmt::format("node {}", node.value);
}

}  // namespace

std::string voter_list(const std::vector<NodeId>& voters) {
    std::string list = node_list(lease::without_witness(voters));
    if (lease::is_in(voters, lease::kWitness)) {
        list += list.empty() ? "witness" : ",witness";
    }
    return list;
}

GatewayVoters::GatewayVoters(const Parts& parts)
    : parts_(parts),
      configured_(parts.settings.lease.voters),
      watch_(self(), parts.settings.started_at) {
    if (parts.settings.lease_watch) {
        size_.emplace(*parts.settings.lease_watch, parts.settings.started_at);
    }
}

Result<void> GatewayVoters::confirm_dead(NodeId victim, lease::Confirmed by, TimePoint now,
                                         Effects& effects) {
    const lease::Voters& voters = engine().state().voters;
    if (voters.has(lease::kWitness) && voters.has(victim)) {
        return confirm_dead_beside_witness(victim, by, now);
    }
    VPNHA_TRY(lease::Effects more, engine().confirm_dead(victim, by, now));
    effects.emplace_back(Log{
        LogLevel::warning, fmt::format("node {} is confirmed dead: this node votes alone until it "
                                       "is reachable event=alone {}",
                                       victim.value, tag())});
    parts_.lease.take(std::move(more), effects);
    return {};
}

Result<void> GatewayVoters::confirm_dead_beside_witness(NodeId victim, lease::Confirmed by,
                                                        TimePoint now) const {
    if (!witness_.is_answering(now)) {
        return fail(Errc::unreachable,
                    fmt::format("gateway {}: the voters are two nodes and a witness, and the "
                                "witness does not answer: a confirmed death does not replace its "
                                "vote; the gateway continues when the witness is back, or vpnhad "
                                "of node {}",
                                parts_.settings.name, victim.value));
    }
    // A device that is asked in each fencing of two nodes has done its part.
    return by == lease::Confirmed::by_device
               ? Result<void>{}
               : fail(Errc::unsupported,
                      fmt::format("gateway {}: the witness's vote is there, so nothing waits for "
                                  "the confirmation of a death",
                                  parts_.settings.name));
}

Result<void> GatewayVoters::vote_without(NodeId node, TimePoint now, Effects& effects) {
    VPNHA_TRY(lease::Effects more, engine().vote_without(node, now));
    effects.emplace_back(
        Log{LogLevel::warning,
            fmt::format("this node no longer waits for the memory of node {}: an administrator "
                        "declared that it has none event=vote-without {}",
                        node.value, tag())});
    parts_.lease.take(std::move(more), effects);
    return {};
}

Result<lease::BootId> GatewayVoters::fenceable(NodeId victim, TimePoint now) const {
    const lease::Voters& voters = engine().state().voters;
    const std::vector<NodeId> all = voters.all();
    if (voters.newest().nodes.size() < 3 ||
        std::find(all.begin(), all.end(), victim) == all.end()) {
        return fail(Errc::unsupported,
                    fmt::format("gateway {}: only one of three voters or more can be fenced by "
                                "marks; fence it by its power",
                                parts_.settings.name));
    }
    const std::optional<lease::BootId> boot = engine().newest_life_of(victim);
    if (!boot) {
        return fail(Errc::not_found,
                    fmt::format("gateway {}: vpnhad of node {} has not answered since this one "
                                "started, so the life to be fenced is not known; fence it by its "
                                "power",
                                parts_.settings.name, victim.value));
    }
    VPNHA_CHECK(reach_markers(victim, now));
    return *boot;
}

Result<void> GatewayVoters::reach_markers(NodeId victim, TimePoint now) const {
    if (!engine().state().voters.has(lease::kWitness) || witness_.is_answering(now)) {
        return {};
    }
    return fail(Errc::unreachable,
                fmt::format("gateway {}: the witness does not answer, and of two nodes it decides "
                            "which one is marked; fence node {} by its power",
                            parts_.settings.name, victim.value));
}

bool GatewayVoters::is_answered(NodeId victim, TimePoint since, TimePoint now) const {
    const lease::Voter::Promise& promise = engine().voter().state().promise;
    const bool by_self = promise.epoch.node == victim && !promise.released && now < promise.until;
    return by_self ||
           (engine().state().voters.has(lease::kWitness) &&
            witness_.may_answer_other(since, parts_.settings.lease.timing.abstention(), now));
}

void GatewayVoters::ask_witness(Effects& effects) {
    note_position();
    parts_.lease.take(engine().ask(lease::kWitness), effects);
}

Result<void> GatewayVoters::fence(NodeId victim, const lease::BootId& boot, TimePoint now,
                                  Effects& effects) {
    VPNHA_TRY(lease::Effects asked, engine().fence(victim, boot, now));
    parts_.lease.take(std::move(asked), effects);
    return {};
}

const lease::Engine::Fencing* GatewayVoters::fencing(NodeId victim,
                                                     const lease::BootId& boot) const {
    const std::optional<lease::Engine::Fencing>& fencing = engine().state().fencing;
    return fencing && fencing->victim == victim && fencing->boot == boot ? &*fencing : nullptr;
}

void GatewayVoters::configure(std::vector<NodeId> voters, TimePoint now, Effects& effects) {
    const std::vector<NodeId> before = leaving();
    configured_ = std::move(voters);
    if (const std::vector<NodeId> nodes = leaving(); !nodes.empty() && nodes != before) {
        effects.emplace_back(Log{
            LogLevel::info,
            fmt::format("node {} is no longer in corosync.conf, and votes until the holder of the "
                        "lease has changed the voters: keep vpnhad running there until then "
                        "event=voters-leave {} nodes={}",
                        node_list(nodes), tag(), node_list(nodes))});
    }
    parts_.lease.take(engine().configure(configured_, now), effects);
}

std::vector<NodeId> GatewayVoters::leaving() const {
    std::vector<NodeId> nodes = engine().state().voters.all();
    std::erase_if(nodes,
                  [wanted = wanted_voters()](NodeId node) { return lease::is_in(wanted, node); });
    return nodes;
}

std::vector<NodeId> GatewayVoters::wanted_voters() const {
    std::vector<NodeId> wanted = configured_;
    if (witness_.are_two()) {
        std::erase(wanted, lease::kWitness);
    }
    return wanted;
}

void GatewayVoters::adapt(TimePoint now, Effects& effects) {
    const lease::Voters& voters = engine().state().voters;
    const std::vector<NodeId> wanted = wanted_voters();
    // Renewals with the list on the disk need no write; renewals with a new list do.
    if (!parts_.lease.saves().work() || engine().holder().phase() != lease::Phase::holding ||
        voters.next || voters.current.nodes == wanted) {
        return;
    }
    // One change at a time. A voter that is gone is removed before its replacement is added. Of
    // several, a silent one is removed first: the list without another could need its vote.
    std::vector<NodeId> next = voters.current.nodes;
    std::vector<NodeId> gone = leaving();
    if (witness_.is_differing()) {
        std::erase(gone, lease::kWitness);
    }
    std::stable_partition(gone.begin(), gone.end(),
                          [&](NodeId node) { return !watch_.counts(node); });
    if (!gone.empty()) {
        std::erase(next, gone.front());
    } else {
        // A node that does not run yet, or abstains, would cost a vote: of 2 voters both must
        // answer, of 4 three.
        const auto come = std::find_if(wanted.begin(), wanted.end(), [&](NodeId node) {
            const std::optional<TimePoint> since = parts_.members.since(node);
            const bool is_settled = lease::is_witness(node) ? witness_.may_be_added(now)
                                                            : since && now >= *since + kVoterSettle;
            return is_settled && std::find(next.begin(), next.end(), node) == next.end();
        });
        if (come == wanted.end()) {
            return;
        }
        next.push_back(*come);
        std::sort(next.begin(), next.end());
    }
    if (Result<lease::Effects> changed = engine().change_voters(next, now); changed) {
        parts_.lease.take(std::move(*changed), effects);
    }
}

GatewayVoters::Reach GatewayVoters::reach(TimePoint now) const {
    Reach reach;
    for (const NodeId node : engine().state().voters.all()) {
        const bool saves = node == self() ? parts_.lease.saves().work() : watch_.saves(node);
        const bool is_there = lease::is_witness(node) ? witness_.is_answering(now)
                                                      : !engine().voter().is_absent(node);
        (saves && is_there ? reach.present : reach.missing).push_back(node);
    }
    return reach;
}

void GatewayVoters::log_news(const lease::Effect& effect, Effects& effects) const {
    if (const auto* run_out = std::get_if<lease::RunOut>(&effect)) {
        effects.emplace_back(
            Log{LogLevel::warning, fmt::format("node {} is fenced: no promise to it holds any more "
                                               "event=run-out {}",
                                               run_out->victim.value, tag())});
    } else if (const auto* changed = std::get_if<lease::VotersChanged>(&effect)) {
        effects.emplace_back(
            Log{LogLevel::info, fmt::format("voters changed event=voters {} count={}", tag(),
                                            changed->voters.nodes.size())});
    } else if (const auto* recalled = std::get_if<lease::Recalled>(&effect)) {
        effects.emplace_back(
            Log{LogLevel::info,
                fmt::format("the others have sent the list of voters, and this node is in it "
                            "again, or waits to be added event=recalled {} count={}",
                            tag(), recalled->voters.nodes.size())});
    } else if (const auto* awaits = std::get_if<lease::Awaits>(&effect)) {
        const std::string names = voter_list(awaits->nodes);
        const std::string what =
            awaits->nodes == std::vector{self()}
                ? "it was the only voter, and waits for an administrator's word (vpnha "
                  "vote-without)"
                : fmt::format("it votes when node {} has sent its memory", names);
        effects.emplace_back(Log{LogLevel::warning,
                                 fmt::format("this node has no memory of the lease (it is new, or "
                                             "its disk is): {} event=no-memory {} missing={}",
                                             what, tag(), names)});
    }
}

void GatewayVoters::before_message(const lease::Sender& sender, const lease::Message& message,
                                   TimePoint now) {
    if (engine().holder().lapsed(now)) {
        note_lateness(now);  // The message ends the lease, so on_time() will not see that round.
    }
    note_position();
    note_size(sender, message, now);
}

void GatewayVoters::after_message(const lease::Sender& sender, const lease::Message& message,
                                  TimePoint now) {
    watch_.on_message(sender, message, engine(), now);
    if (lease::is_witness(sender.node)) {
        witness_.on_message(sender, message, now);
    }
}

void GatewayVoters::on_time(TimePoint now, Effects& effects) {
    size_lease(now, effects);
    if (now >= watch_.next_tick()) {
        watch_voters(now, effects);
    }
}

std::optional<TimePoint> GatewayVoters::next_deadline() const {
    return size_ ? earliest(watch_.next_tick(), size_->next_turn()) : watch_.next_tick();
}

void GatewayVoters::watch_lists(Effects& effects) {
    const std::vector<NodeId>& differing = engine().state().differing;
    if (watch_.note_differing(differing) && !differing.empty()) {
        effects.emplace_back(
            Log{LogLevel::error,
                fmt::format("node {} goes by other voters than this node, and neither list is "
                            "newer: give all nodes the same nodelist in corosync.conf, and "
                            "restart vpnhad event=voters-differ {} nodes={}",
                            node_list(differing), tag(), node_list(differing))});
    }
}

void GatewayVoters::note_lateness(TimePoint now) {
    if (engine().holder().serving() && engine().holder().round_due(now)) {
        lateness_.note(now - engine().holder().state().next_round_at, now);
    }
}

void GatewayVoters::note_position() {
    const wire::Version position = parts_.replica.position();
    engine().set_position({position.epoch, position.sequence});
}

void GatewayVoters::note_size(const lease::Sender& sender, const lease::Message& message,
                              TimePoint now) {
    if (!size_) {
        return;
    }
    const auto* const hello = std::get_if<lease::Hello>(&message);
    const auto* const answer = std::get_if<lease::Answer>(&message);
    if (hello != nullptr && hello->needs && !lease::is_witness(sender.node) &&
        engine().state().voters.has(sender.node)) {
        size_->on_needs(sender.node, *hello->needs, now);
    } else if (answer != nullptr) {
        size_->on_answer(answer->id, now);
    }
}

void GatewayVoters::size_lease(TimePoint now, Effects& effects) {
    if (!size_) {
        return;
    }
    size_->on_turn(now);
    const lease::Holder& holder = engine().holder();
    if (holder.serving() && !holder.state().rounds.empty()) {
        const std::uint64_t number = holder.state().number;
        size_->on_round({holder.epoch(), parts_.settings.lease.self.instance, number},
                        holder.state().rounds.back().sent_at);
    }
    const std::vector<NodeId> voters = engine().state().voters.all();
    const Duration wanted = size_->lease(voters, now);
    const Duration was = holder.timing().lease;
    if (wanted == was) {
        return;
    }
    engine().resize(wanted);
    if (holder.serving()) {
        const std::optional<NodeId> slowest = size_->slowest(voters, now);
        effects.emplace_back(
            Log{LogLevel::info,
                fmt::format("the lease lasts {} ms from now on, and {} ms before: {} needs it "
                            "event=lease-sized {} ms={}",
                            in_ms(wanted), in_ms(was), slowest ? voter_name(*slowest) : "this node",
                            tag(), in_ms(wanted))});
    }
}

void GatewayVoters::watch_voters(TimePoint now, Effects& effects) {
    for (const VoterWatch::News& news : watch_.on_tick(engine(), now)) {
        const std::string left = fmt::format("{} voters={} reserve={}", tag(),
                                             engine().state().voters.all().size(), reserve());
        // Corosync has already reported a node that is no member.
        const LogLevel level =
            !news.counts && (lease::is_witness(news.node) || parts_.members.contains(news.node))
                ? LogLevel::warning
                : LogLevel::info;
        effects.emplace_back(
            Log{level, news.counts
                           ? fmt::format("the vote of {} counts again event=vote-back {}",
                                         voter_name(news.node), left)
                           : fmt::format("the vote of {} does not count here event=vote-lost {}",
                                         voter_name(news.node), left)});
    }
    // A voter that is removed from the list is forgotten without a report.
    const ClockRates& clocks = watch_.clocks();
    engine().set_astray(clocks.nodes_astray(),
                        clocks.own_is_astray(engine().state().voters.newest().nodes.size()));
    for (const ClockRates::Clock& clock : watch_.clocks().take_news()) {
        const double most = 1 + static_cast<double>(parts_.settings.lease.timing.rate_ppm) / 1e6;
        effects.emplace_back(
            clock.astray
                ? Log{LogLevel::error,
                      fmt::format("the clock of {} runs at {:.3f} of this node's, and the "
                                  "lease is safe from {:.3f} to {:.3f}. This node grants it no "
                                  "lease: look after the clock of that machine, or of this one "
                                  "event=clock-rate {} node={} rate={:.3f}",
                                  voter_name(clock.node), clock.rate, 1 / most, most, tag(),
                                  clock.node.value, clock.rate)}
                : Log{LogLevel::info,
                      fmt::format("the clock of {} runs as this node's again "
                                  "event=clock-rate {} node={} rate={:.3f}",
                                  voter_name(clock.node), tag(), clock.node.value, clock.rate)});
    }
    const lease::Timing& timing = engine().holder().timing();
    const Duration slack = timing.lease - timing.renew;
    if (lateness_.warns(slack / 2, now)) {
        effects.emplace_back(Log{
            LogLevel::warning,
            fmt::format("a round of the lease began {} ms late, and one that is {} ms late costs "
                        "the lease: give vpnhad more of the processor, or lengthen [lease] "
                        "duration event=late-rounds {}",
                        in_ms(lateness_.worst_of_day(now)), in_ms(slack), tag())});
    }
    watch_witness(now, effects);
    emit_hello(now, effects);
}

void GatewayVoters::emit_hello(TimePoint now, Effects& effects) {
    lease::Hello hello;
    hello.sent_at = now;
    if (size_) {
        hello.needs = size_->needs(now);
    }
    std::vector<NodeId> voters = engine().state().voters.all();
    if (has_witness() && !lease::is_in(voters, lease::kWitness)) {
        voters.push_back(lease::kWitness);
        // A witness that remembers no list would add no vote.
        effects.emplace_back(SendLease{parts_.settings.id, lease::kWitness, lease::Recall{}});
    }
    for (const NodeId node : voters) {
        if (node != self()) {
            effects.emplace_back(SendLease{parts_.settings.id, node, hello});
        }
    }
}

bool GatewayVoters::has_witness() const {
    return lease::is_in(configured_, lease::kWitness) ||
           engine().state().voters.has(lease::kWitness);
}

void GatewayVoters::watch_witness(TimePoint now, Effects& effects) {
    if (const std::optional<bool> received = witness_.take_news(now)) {
        effects.emplace_back(
            *received ? Log{LogLevel::info,
                            fmt::format("the witness answers event=witness-answers {}", tag())}
                      : Log{LogLevel::warning,
                            fmt::format("the witness does not answer: look whether it runs, and "
                                        "whether UDP gets there and back event=witness-lost {}",
                                        tag())});
    }
    std::vector<lease::Instance> received_by_others;
    for (const auto& [node, state] : parts_.replica.peers()) {
        received_by_others.emplace_back(state.witness);
    }
    if (const std::optional<bool> two = witness_.compare(received_by_others, now)) {
        effects.emplace_back(
            *two
                ? Log{LogLevel::error,
                      fmt::format("two witnesses answer with the same key, so neither counts: stop "
                                  "the copy, a clone or a restored machine "
                                  "event=witness-differs {}",
                                  tag())}
                : Log{LogLevel::info,
                      fmt::format("there is one witness again event=witness-agrees {}", tag())});
    }
    if (has_witness()) {
        witness_.on_hello_sent(now);
    }
    const std::vector<VoterWatch::Vote> votes = watch_.votes();
    const bool misses_node = std::any_of(votes.begin(), votes.end(), [](const auto& vote) {
        return !lease::is_witness(vote.node) && !vote.counts;
    });
    engine().ask_often(misses_node && engine().state().voters.has(lease::kWitness));
}

}  // namespace vpnha::node
