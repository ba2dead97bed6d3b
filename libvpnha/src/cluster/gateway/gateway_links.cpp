// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/gateway_links.hpp"

#include <fmt/format.h>

#include <array>

namespace vpnha::node {

namespace {

// Repeats of the gratuitous ARP after the one within the promotion: a switch or host that missed it
// (link just up, queue full) learns soon.
constexpr std::array<Duration, 4> kAnnounceAgain{std::chrono::milliseconds(100),
                                                 std::chrono::seconds(1), std::chrono::seconds(3),
                                                 std::chrono::seconds(10)};

}  // namespace

void GatewayLinks::on_carrier(LinkSide side, bool carrier, TimePoint now, Effects& effects) {
    links_.on_carrier(side, carrier, now);
    if (carrier) {
        announce_again(now, effects);
    }
}

void GatewayLinks::on_neighbour(LinkSide side, const IpAddress& address, TimePoint now) {
    links_.on_answer(side, address, now);
}

void GatewayLinks::announce_again(TimePoint now, Effects& effects) {
    if (parts_.view.is_served()) {
        effects.emplace_back(Announce{parts_.settings.id});
        plan_announcements(now);
    }
}

void GatewayLinks::plan_announcements(TimePoint now) {
    announcements_.clear();
    for (const Duration later : kAnnounceAgain) {
        announcements_.push_back(now + later);
    }
}

void GatewayLinks::ask_neighbours(TimePoint now, Effects& effects) {
    for (const LinkSide side : links_.on_time(now)) {
        effects.emplace_back(AskNeighbours{parts_.settings.id, side});
    }
}

void GatewayLinks::watch_links(TimePoint now, Effects& effects) {
    for (const auto& [side, state] : links_.take_news()) {
        const bool lost = state == LinkState::no_carrier || state == LinkState::no_answer;
        effects.emplace_back(Log{
            lost ? LogLevel::warning : LogLevel::info,
            fmt::format("{} link: {} event=link {}", to_string(side), to_string(state), tag())});
    }
    const auto best = parts_.view.best_standby();
    const auto elsewhere = best ? std::optional(best->second) : std::nullopt;
    const bool gave_away = links_.giving_away();
    if (links_.weigh(parts_.view.state() == takeover::State::promoted, elsewhere, now)) {
        if (parts_.settings.stand_in) {
            // Clients on that side get no answer. A standby with all its links takes over faster
            // than Pacemaker.
            parts_.lease.engine().yield(lease::Yields::to_anybody, std::nullopt);
        }
        effects.emplace_back(
            Log{LogLevel::warning,
                fmt::format("outside link: {}, inside link: {}; node {} is in sync and has better "
                            "ones: the gateway is given away event=given-away {}",
                            to_string(links_.state(LinkSide::outside)),
                            to_string(links_.state(LinkSide::inside)), best->first.value, tag())});
    } else if (gave_away && !links_.giving_away() && parts_.view.is_promoted()) {
        // Its links are again as good as those of any other node.
        parts_.lease.engine().yield(lease::Yields::no, std::nullopt);
    }
}

void GatewayLinks::watch_own_lease(TimePoint now, Effects& effects) {
    // A move helps only if another node can be granted the lease without this node's vote.
    std::vector<NodeId> others;
    for (const NodeId node : parts_.lease.engine().state().voters.all()) {
        const bool is_there = lease::is_witness(node) ? parts_.voters.witness().is_answering(now)
                                                      : parts_.members.contains(node);
        if (node != parts_.view.self() && is_there) {
            others.push_back(node);
        }
    }
    const bool misses = parts_.view.state() == takeover::State::promoted &&
                        !parts_.lease.engine().holder().serving() && parts_.replica.quorate() &&
                        parts_.lease.engine().state().voters.majority(others) &&
                        !parts_.view.stands_in();
    const auto best = parts_.view.best_standby();
    if (own_lease_.look(misses, best.has_value(), now)) {
        effects.emplace_back(Log{
            LogLevel::warning,
            fmt::format(
                "a majority of the voters are members, and this node has been granted no lease "
                "for {} s: the gateway is given away, node {} is in sync event=unanswered {}",
                std::chrono::duration_cast<std::chrono::seconds>(own_lease_.missing(now)).count(),
                best->first.value, tag())});
    }
}

unsigned GatewayLinks::scored_loss() const {
    // A promoted node that keeps the gateway counts no loss: no other node is preferred to it.
    return parts_.view.state() == takeover::State::promoted && !links_.giving_away()
               ? 0
               : links_.lost_for_coming();
}

void GatewayLinks::announce_due(TimePoint now, Effects& effects) {
    if (std::erase_if(announcements_, [now](TimePoint at) { return at <= now; }) != 0) {
        effects.emplace_back(Announce{parts_.settings.id});
    }
}

std::optional<TimePoint> GatewayLinks::next_deadline() const {
    std::optional<TimePoint> at = links_.next_deadline();
    for (const TimePoint announcement : announcements_) {
        at = earliest(at, announcement);
    }
    return earliest(at, own_lease_.next_deadline(parts_.view.best_standby().has_value()));
}

}  // namespace vpnha::node
