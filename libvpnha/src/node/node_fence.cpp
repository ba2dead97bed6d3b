// SPDX-License-Identifier: GPL-2.0-or-later
// Fencing of another node by marks: all gateways together, asked again until it is done.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "node/node.hpp"

namespace vpnha::node {

namespace {

// A datagram may be lost, and who was asked says "not yet" until its promise has run out. It costs
// a few small datagrams each, in the 0.52 s of a fencing.
constexpr Duration kAskAgain = std::chrono::milliseconds(50);

}  // namespace

Result<Node::Lives> Node::fenceable(NodeId victim) const {
    if (victim == settings_.self) {
        return fail(Errc::invalid_argument, "a node does not fence itself; ask another one");
    }
    if (!quorate_) {
        return fail(Errc::unreachable,
                    "without quorum there is no majority that could fence a node");
    }
    Lives lives;
    for (const auto& [id, gateway] : gateways_) {
        VPNHA_TRY(lives[id], gateway.fenceable(victim));
    }
    return lives;
}

Effects Node::fence(RequestToken request, NodeId victim, Duration patience, TimePoint now) {
    Effects effects;
    Result<Lives> lives = fenceable(victim);
    if (!lives) {
        effects.emplace_back(AnswerRequest{request, tl::unexpected(std::move(lives.error()))});
        return effects;
    }
    const auto same = std::find_if(fencings_.begin(), fencings_.end(), [&](const Fencing& each) {
        return each.victim == victim && each.lives == *lives;
    });
    if (same != fencings_.end()) {
        same->waiting.push_back({request, now + patience});
    } else {
        effects.emplace_back(
            Log{Level::warning, fmt::format("node {} is to be fenced event=fence", victim.value)});
        fencings_.push_back({victim, std::move(*lives), now, {{request, now + patience}}});
    }
    settle(now, effects);
    return effects;
}

Result<void> Node::ask_for_marks(Fencing& fencing, TimePoint now, Effects& effects) {
    fencing.again_at = now + kAskAgain;
    for (const auto& [id, boot] : fencing.lives) {
        VPNHA_CHECK(gateways_.at(id).fence(fencing.victim, boot, now, effects));
    }
    return {};
}

bool Node::is_fenced(const Fencing& fencing) const {
    return std::all_of(fencing.lives.begin(), fencing.lives.end(), [&](const auto& life) {
        return gateways_.at(life.first).is_fenced(fencing.victim, life.second);
    });
}

void Node::go_on_fencing(TimePoint now, Effects& effects) {
    give_up_fencing(now, effects);
    while (!fencings_.empty()) {
        Fencing& first = fencings_.front();
        Result<void> result;
        if (now >= first.again_at) {
            result = ask_for_marks(first, now, effects);
        }
        if (result && !is_fenced(first)) {
            return;
        }
        for (const Waiting& waiting : first.waiting) {
            effects.emplace_back(AnswerRequest{waiting.request, result});
        }
        fencings_.pop_front();
    }
}

void Node::give_up_fencing(TimePoint now, Effects& effects) {
    for (Fencing& fencing : fencings_) {
        std::erase_if(fencing.waiting, [&](const Waiting& waiting) {
            const bool over = now >= waiting.until && !is_fenced(fencing);
            if (over) {
                effects.emplace_back(AnswerRequest{
                    waiting.request,
                    fail(Errc::timeout,
                         fmt::format("no majority of the voters could say in time that its "
                                     "promises to node {} have run out",
                                     fencing.victim.value))});
            }
            return over;
        });
    }
    std::erase_if(fencings_, [](const Fencing& fencing) { return fencing.waiting.empty(); });
}

bool Node::fenced() const {
    return std::any_of(gateways_.begin(), gateways_.end(),
                       [](const auto& each) { return each.second.lease().state().fenced; });
}

bool Node::is_marked(NodeId node) const {
    return std::all_of(gateways_.begin(), gateways_.end(), [node](const auto& each) {
        const lease::Engine& lease = each.second.lease();
        const std::optional<lease::BootId> boot = lease.newest_life_of(node);
        return boot && lease.voter().is_marked(node, *boot);
    });
}

}  // namespace vpnha::node
