// SPDX-License-Identifier: GPL-2.0-or-later
// A promoted node that has lost the outside or the inside gives the gateway away, by its promotion
// score: Pacemaker demotes it and promotes the better node, as if an administrator had moved the
// role. It counts no failure, and the sessions are handed over by a living node.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "cluster/gateway/gateway_node.hpp"

namespace vpnha::node {

namespace {

// Repeats of the gratuitous ARP after the one within the promotion: a switch or host that missed it
// (link just up, queue full) learns soon.
constexpr std::array<Duration, 4> kAnnounceAgain{std::chrono::milliseconds(100),
                                                 std::chrono::seconds(1), std::chrono::seconds(3),
                                                 std::chrono::seconds(10)};

}  // namespace

void GatewayNode::on_carrier(LinkSide side, bool carrier, TimePoint now, Effects& effects) {
    links_.on_carrier(side, carrier, now);
    if (carrier) {
        announce_again(now, effects);
    }
}

void GatewayNode::announce_again(TimePoint now, Effects& effects) {
    if (takeover_.serves()) {
        effects.emplace_back(Announce{settings_.id});
        plan_announcements(now);
    }
}

void GatewayNode::plan_announcements(TimePoint now) {
    others_.announcements.clear();
    for (const Duration later : kAnnounceAgain) {
        others_.announcements.push_back(now + later);
    }
}

void GatewayNode::on_neighbour(LinkSide side, const IpAddress& address, TimePoint now) {
    links_.on_answer(side, address, now);
}

void GatewayNode::ask_neighbours(TimePoint now, Effects& effects) {
    for (const LinkSide side : links_.on_time(now)) {
        effects.emplace_back(AskNeighbours{settings_.id, side});
    }
}

void GatewayNode::watch_links(TimePoint now, Effects& effects) {
    for (const auto& [side, state] : links_.take_news()) {
        const bool lost = state == LinkState::no_carrier || state == LinkState::no_answer;
        effects.emplace_back(Log{
            lost ? LogLevel::warning : LogLevel::info,
            fmt::format("{} link: {} event=link {}", to_string(side), to_string(state), tag())});
    }
    const auto best = best_standby();
    const auto elsewhere = best ? std::optional(best->second) : std::nullopt;
    const bool gave_away = links_.giving_away();
    if (links_.weigh(takeover_.state() == takeover::State::promoted, elsewhere, now)) {
        if (stand_in_.wanted()) {
            // Clients on that side get no answer: a standby without a lost link is sooner than
            // Pacemaker.
            saved_.engine().yield(lease::Yields::to_anybody, std::nullopt);
        }
        effects.emplace_back(
            Log{LogLevel::warning,
                fmt::format("outside link: {}, inside link: {}; node {} is in sync and has better "
                            "ones: the gateway is given away event=given-away {}",
                            to_string(links_.state(LinkSide::outside)),
                            to_string(links_.state(LinkSide::inside)), best->first.value, tag())});
    } else if (gave_away && !links_.giving_away() && is_promoted()) {
        saved_.engine().yield(lease::Yields::no,
                              std::nullopt);  // Its links are as good as any again.
    }
}

std::optional<std::pair<NodeId, unsigned>> GatewayNode::best_standby() const {
    std::optional<std::pair<NodeId, unsigned>> best;
    for (const auto& [node, state] : replica_.peers()) {
        const unsigned lost = (state.outside_lost ? 1U : 0U) + (state.inside_lost ? 1U : 0U);
        if (state.standing == wire::Level::complete && state.epoch == replica_.epoch() &&
            (!best || lost < best->second)) {
            best = std::pair(node, lost);
        }
    }
    return best;
}

unsigned GatewayNode::scored_loss() const {
    // A promoted node that keeps the gateway is as good as any: nobody is to be preferred to it.
    return takeover_.state() == takeover::State::promoted && !links_.giving_away()
               ? 0
               : links_.lost_for_coming();
}

}  // namespace vpnha::node
