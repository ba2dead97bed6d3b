// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/links.hpp"

#include <algorithm>

namespace vpnha::node {

std::string_view to_string(LinkState state) {
    switch (state) {
        case LinkState::good:
            return "good";
        case LinkState::no_carrier:
            return "no-carrier";
        case LinkState::no_answer:
            return "no-answer";
        case LinkState::settling:
            return "settling";
        case LinkState::unknown:
            return "unknown";
    }
    return "unknown";
}

Links::Links(LinkSettings settings) : settings_(std::move(settings)) {
    for (const LinkSide side : kLinkSides) {
        for (const IpAddress& address : settings_.neighbours[static_cast<std::size_t>(side)]) {
            of(side).neighbours.push_back({address});
        }
        of(side).known = of(side).neighbours.empty();
    }
}

void Links::on_carrier(LinkSide side, bool carrier, TimePoint now) {
    Side& at = of(side);
    if (std::exchange(at.carrier, carrier) == carrier) {
        return;
    }
    // Answers from before a loss prove nothing about the neighbours after it.
    for (Neighbour& neighbour : at.neighbours) {
        neighbour.asked = 0;
        neighbour.answered = false;
    }
    if (carrier) {
        ask_at_.reset();
    }
    judge(side, now);
}

void Links::on_answer(LinkSide side, const IpAddress& address, TimePoint now) {
    Side& at = of(side);
    for (Neighbour& neighbour : at.neighbours) {
        if (at.carrier && neighbour.address == address) {
            neighbour.asked = 0;
            neighbour.answered = true;
            judge(side, now);
        }
    }
}

std::vector<LinkSide> Links::on_time(TimePoint now) {
    std::vector<LinkSide> to_ask;
    const bool due = !ask_at_ || *ask_at_ <= now;
    for (const LinkSide side : kLinkSides) {
        Side& at = of(side);
        if (at.settled_at && *at.settled_at <= now) {
            at.settled_at.reset();
            news_.emplace_back(side, LinkState::good);
        }
        if (due && asks(at)) {
            for (Neighbour& neighbour : at.neighbours) {
                ++neighbour.asked;
            }
            judge(side, now);
            to_ask.push_back(side);
        }
    }
    if (!to_ask.empty()) {
        ask_at_ = now + settings_.probe_interval;
    }
    return to_ask;
}

bool Links::asks(const Side& side) const {
    return side.carrier && !side.neighbours.empty();
}

std::optional<LinkState> Links::look(const Side& side) const {
    if (!side.carrier) {
        return LinkState::no_carrier;
    }
    // The last question had no time to be answered yet.
    const auto given_up = [this](const Neighbour& each) {
        return each.asked > settings_.lost_after;
    };
    const std::vector<Neighbour>& all = side.neighbours;
    if (all.empty() || std::any_of(all.begin(), all.end(), [&](const Neighbour& each) {
            return each.answered && !given_up(each);
        })) {
        return LinkState::good;
    }
    return std::all_of(all.begin(), all.end(), given_up) ? std::optional(LinkState::no_answer)
                                                         : std::nullopt;
}

void Links::judge(LinkSide side, TimePoint now) {
    Side& at = of(side);
    const std::optional<LinkState> seen = look(at);
    if (!seen) {
        return;  // What was known stays true.
    }
    at.known = true;
    if (*seen != LinkState::good) {
        at.settled_at.reset();
        if (std::exchange(at.lost, seen) != seen) {
            news_.emplace_back(side, *seen);
            ++losses_;
        }
    } else if (at.lost) {
        at.lost.reset();
        at.settled_at = now + settings_.hold_off;
        news_.emplace_back(side, LinkState::settling);
    }
}

Duration Links::patience() const {
    const bool carrier_lost = std::any_of(sides_.begin(), sides_.end(), [](const Side& side) {
        return side.lost == LinkState::no_carrier;
    });
    return settings_.give_away_after + (carrier_lost ? Duration{} : settings_.probe_interval);
}

bool Links::weigh(bool promoted, std::optional<unsigned> lost_elsewhere, TimePoint now) {
    if (giving_away_) {
        // Pacemaker decides now, even if the link comes back meanwhile.
        giving_away_ = promoted && lost_elsewhere && *lost_elsewhere < lost_for_coming();
        return false;
    }
    if (!promoted || !lost_elsewhere || *lost_elsewhere >= lost_for_staying()) {
        worse_since_.reset();
        return false;
    }
    if (!worse_since_) {
        worse_since_ = now;
    }
    if (now < *worse_since_ + patience()) {
        return false;
    }
    worse_since_.reset();
    giving_away_ = true;
    ++given_away_;
    return true;
}

std::optional<TimePoint> Links::next_deadline() const {
    std::optional<TimePoint> at;
    if (std::any_of(sides_.begin(), sides_.end(),
                    [this](const Side& side) { return asks(side); })) {
        at = ask_at_.value_or(TimePoint{});
    }
    for (const Side& side : sides_) {
        at = earliest(at, side.settled_at);
    }
    return worse_since_ ? earliest(at, *worse_since_ + patience()) : at;
}

LinkState Links::state(LinkSide side) const {
    const Side& at = of(side);
    if (at.lost) {
        return *at.lost;
    }
    if (!at.known) {
        return LinkState::unknown;
    }
    return at.settled_at ? LinkState::settling : LinkState::good;
}

bool Links::counts_as_lost(LinkSide side) const {
    return state(side) != LinkState::good;
}

unsigned Links::lost_for_coming() const {
    return static_cast<unsigned>(
        std::count_if(std::begin(kLinkSides), std::end(kLinkSides),
                      [this](LinkSide side) { return counts_as_lost(side); }));
}

unsigned Links::lost_for_staying() const {
    return static_cast<unsigned>(std::count_if(
        sides_.begin(), sides_.end(), [](const Side& side) { return side.lost.has_value(); }));
}

}  // namespace vpnha::node
