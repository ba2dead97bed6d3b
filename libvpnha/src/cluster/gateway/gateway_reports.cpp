// SPDX-License-Identifier: GPL-2.0-or-later
// What Pacemaker is told before its own monitors find out. Standbys tell of the promoted node's
// vpnhad (watch/holder_watch.hpp), by withdrawing its score. The lowest node that has the gateway
// withdraws the score of any other node whose vpnhad has died, so that Pacemaker does not promote
// it next. The promoted node tells of its services; one that is granted no lease gives the role
// away by its score, in case nobody else notices.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cluster/gateway/gateway_node.hpp"

namespace vpnha::node {

void GatewayNode::on_process_died(NodeId member, TimePoint now, Effects& effects) {
    others_.holder.on_process_died(member, sight(), now);
    const auto& peers = replica_.peers();
    const bool is_lowest = std::none_of(peers.begin(), peers.end(), [&](const auto& peer) {
        return peer.first < self() && peer.first != member;
    });
    if (!attached() || attachment_.resource().empty() || !is_lowest || !peers.contains(member) ||
        replica_.holder() == member) {
        return;
    }
    const std::string name = others_.members.name(member);
    effects.emplace_back(
        Log{LogLevel::warning,
            fmt::format("vpnhad of {} has died; its promotion score is withdrawn event=reported {}",
                        name, tag())});
    effects.emplace_back(WithdrawScore{settings_.id, attachment_.resource(), name});
}

HolderWatch::Sight GatewayNode::sight() const {
    return {
        self(), replica_, lease_, attached(), !attachment_.resource().empty(), stand_in_.wanted()};
}

void GatewayNode::on_service_died(const std::string& resource, const std::string& name,
                                  Effects& effects) {
    if (takeover_.state() != takeover::State::promoted) {
        return;
    }
    effects.emplace_back(Log{
        LogLevel::error,
        fmt::format("{} has died; Pacemaker is notified event=service-died {}", resource, tag())});
    effects.emplace_back(ReportFailure{settings_.id, resource, name});
    if (stand_in_.wanted()) {
        // What a stock daemon carried has died with it: a standby is sooner than Pacemaker.
        lease_.yield(lease::Yields::to_anybody, std::nullopt);
    }
}

void GatewayNode::log_lost(NodeId sender, const wire::SnapshotEnd& end, Effects& effects) const {
    const std::vector<wire::RecordKey> lost = replica_.lost_by(sender, end);
    if (lost.empty()) {
        return;
    }
    effects.emplace_back(Log{
        LogLevel::error,
        fmt::format("this node removes {} sessions, because node {} was promoted without them: its "
                    "replica was not complete event=sessions-lost {}",
                    lost.size(), sender.value, tag())});
    const std::set<wire::RecordKey> keys(lost.begin(), lost.end());
    for (const keepers::SessionView& session : keepers_.sessions({})) {
        if (keys.contains(session.record)) {
            effects.emplace_back(
                Log{LogLevel::error,
                    fmt::format("session lost event=lost {} session={} user={} address={} peer={}: "
                                "node {} was promoted without it",
                                tag(), keepers::session_id(session.record), session.user,
                                session.address, session.peer, sender.value)});
        }
    }
}

namespace {

std::int64_t in_ms(Duration time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

std::string voter_name(NodeId node) {
    return lease::is_witness(node) ? "the witness" : fmt::format("node {}", node.value);
}

}  // namespace

void GatewayNode::watch_voters(TimePoint now, Effects& effects) {
    for (const VoterWatch::News& news : others_.voters.on_tick(lease_, now)) {
        const std::string left = fmt::format("{} voters={} reserve={}", tag(),
                                             lease_.state().voters.all().size(), reserve());
        // Who is no member has been told of by Corosync.
        const LogLevel level =
            !news.counts && (lease::is_witness(news.node) || others_.members.contains(news.node))
                ? LogLevel::warning
                : LogLevel::info;
        effects.emplace_back(
            Log{level, news.counts
                           ? fmt::format("the vote of {} counts again event=vote-back {}",
                                         voter_name(news.node), left)
                           : fmt::format("the vote of {} does not count here event=vote-lost {}",
                                         voter_name(news.node), left)});
    }
    // A voter that is taken out of the list is forgotten, and no news.
    const ClockRates& clocks = others_.voters.clocks();
    lease_.set_astray(clocks.nodes_astray(),
                      clocks.own_is_astray(lease_.state().voters.newest().nodes.size()));
    for (const ClockRates::Clock& clock : others_.voters.clocks().take_news()) {
        const double most = 1 + static_cast<double>(settings_.lease.timing.rate_ppm) / 1e6;
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
    const lease::Timing& timing = lease_.holder().timing();
    const Duration slack = timing.lease - timing.renew;
    if (others_.lateness.warns(slack / 2, now)) {
        effects.emplace_back(Log{
            LogLevel::warning,
            fmt::format("a round of the lease began {} ms late, and one that is {} ms late costs "
                        "the lease: give vpnhad more of the processor, or lengthen [lease] "
                        "duration event=late-rounds {}",
                        in_ms(others_.lateness.worst_of_day(now)), in_ms(slack), tag())});
    }
    watch_witness(now, effects);
    say_hello(now, effects);
}

void GatewayNode::say_hello(TimePoint now, Effects& effects) {
    lease::Hello hello;
    hello.sent_at = now;
    if (others_.size) {
        hello.needs = others_.size->needs(now);
    }
    std::vector<NodeId> voters = lease_.state().voters.all();
    if (has_witness() && !lease::is_in(voters, lease::kWitness)) {
        voters.push_back(lease::kWitness);
        // Who remembers no list would not be a vote more.
        effects.emplace_back(SendLease{settings_.id, lease::kWitness, lease::Recall{}});
    }
    for (const NodeId node : voters) {
        if (node != self()) {
            effects.emplace_back(SendLease{settings_.id, node, hello});
        }
    }
}

void GatewayNode::note_size(const lease::Sender& sender, const lease::Message& message,
                            TimePoint now) {
    if (!others_.size) {
        return;
    }
    const auto* const hello = std::get_if<lease::Hello>(&message);
    const auto* const answer = std::get_if<lease::Answer>(&message);
    if (hello != nullptr && hello->needs && !lease::is_witness(sender.node) &&
        lease_.state().voters.has(sender.node)) {
        others_.size->on_needs(sender.node, *hello->needs, now);
    } else if (answer != nullptr) {
        others_.size->on_answer(answer->id, now);
    }
}

void GatewayNode::size_lease(TimePoint now, Effects& effects) {
    std::optional<LeaseSize>& size = others_.size;
    if (!size) {
        return;
    }
    size->on_turn(now);
    const lease::Holder& holder = lease_.holder();
    if (holder.serving() && !holder.state().rounds.empty()) {
        const std::uint64_t number = holder.state().number;
        size->on_round({holder.epoch(), settings_.lease.self.instance, number},
                       holder.state().rounds.back().sent_at);
    }
    const std::vector<NodeId> voters = lease_.state().voters.all();
    const Duration wanted = size->lease(voters, now);
    const Duration was = holder.timing().lease;
    if (wanted == was) {
        return;
    }
    lease_.resize(wanted);
    if (holder.serving()) {
        const std::optional<NodeId> slowest = size->slowest(voters, now);
        effects.emplace_back(
            Log{LogLevel::info,
                fmt::format("the lease lasts {} ms from now on, and {} ms before: {} needs it "
                            "event=lease-sized {} ms={}",
                            in_ms(wanted), in_ms(was), slowest ? voter_name(*slowest) : "this node",
                            tag(), in_ms(wanted))});
    }
}

bool GatewayNode::has_witness() const {
    return lease::is_in(settings_.lease.voters, lease::kWitness) ||
           lease_.state().voters.has(lease::kWitness);
}

void GatewayNode::watch_witness(TimePoint now, Effects& effects) {
    if (const std::optional<bool> heard = others_.witness.take_news(now)) {
        effects.emplace_back(
            *heard ? Log{LogLevel::info,
                         fmt::format("the witness is heard event=witness-heard {}", tag())}
                   : Log{LogLevel::warning,
                         fmt::format("the witness is not heard: look whether it runs, and whether "
                                     "UDP gets there and back event=witness-lost {}",
                                     tag())});
    }
    std::vector<lease::Instance> heard_by_others;
    for (const auto& [node, state] : replica_.peers()) {
        heard_by_others.emplace_back(state.witness);
    }
    if (const std::optional<bool> two = others_.witness.compare(heard_by_others, now)) {
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
        others_.witness.on_hello_sent(now);
    }
    const std::vector<VoterWatch::Vote> votes = others_.voters.votes();
    const bool misses_node = std::any_of(votes.begin(), votes.end(), [](const auto& vote) {
        return !lease::is_witness(vote.node) && !vote.counts;
    });
    lease_.ask_often(misses_node && lease_.state().voters.has(lease::kWitness));
}

void GatewayNode::watch_holder(TimePoint now, Effects& effects) {
    const std::optional<HolderWatch::Report> report = others_.holder.look(sight(), now);
    if (others_.holder.asks_witness(sight(), now)) {
        ask_witness(now, effects);
        others_.holder.on_asked(lease_.state().questions, now);
    }
    if (!report) {
        return;
    }
    const std::string name = others_.members.name(report->holder);
    const std::string_view what = report->died     ? "has died"
                                  : report->claims ? "claims the lease, and hears no answer"
                                                   : "stands still";
    effects.emplace_back(Log{LogLevel::warning,
                             fmt::format("vpnhad of {} {}; Pacemaker is notified event=reported {}",
                                         name, what, tag())});
    effects.emplace_back(WithdrawScore{settings_.id, attachment_.resource(), name});
}

void GatewayNode::watch_own_lease(TimePoint now, Effects& effects) {
    // Another node could be granted the lease without this one's vote: only then a move helps.
    std::vector<NodeId> others;
    for (const NodeId node : lease_.state().voters.all()) {
        const bool is_there = lease::is_witness(node) ? others_.witness.is_heard(now)
                                                      : others_.members.contains(node);
        if (node != self() && is_there) {
            others.push_back(node);
        }
    }
    const bool lacks = takeover_.state() == takeover::State::promoted &&
                       !lease_.holder().serving() && replica_.quorate() &&
                       lease_.state().voters.majority(others) && !stands_in();
    const auto best = best_standby();
    if (wishes_.own_lease.look(lacks, best.has_value(), now)) {
        effects.emplace_back(
            Log{LogLevel::warning,
                fmt::format(
                    "a majority of the voters are members, and this node has been granted no lease "
                    "for {} s: the gateway is given away, node {} is in sync event=unanswered {}",
                    std::chrono::duration_cast<std::chrono::seconds>(wishes_.own_lease.lacking(now))
                        .count(),
                    best->first.value, tag())});
    }
}

}  // namespace vpnha::node
