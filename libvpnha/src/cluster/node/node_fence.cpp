// SPDX-License-Identifier: GPL-2.0-or-later
// Fencing of another node by marks: all gateways together, asked again until it is done.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cluster/node/duel.hpp"
#include "cluster/node/node.hpp"

namespace vpnha::node {

namespace {

// A datagram may be lost, and voters answer "not yet" until their promise has run out. Each
// repetition costs a few small datagrams, in the 0.52 s of a fencing.
constexpr Duration kAskAgain = std::chrono::milliseconds(50);
// How long after the loss the winner of a duel has for its power device. Later its device may be
// out of reach, or the witness lies.
constexpr Duration kDuelLasts = std::chrono::seconds(30);

}  // namespace

Result<Node::Lives> Node::fenceable(NodeId victim, TimePoint now) const {
    if (victim == settings_.self) {
        return fail(Errc::invalid_argument, "a node does not fence itself; ask another one");
    }
    if (!quorate_) {
        return fail(Errc::unreachable,
                    "without quorum there is no majority that could fence a node");
    }
    Lives lives;
    for (const auto& [id, gateway] : gateways_) {
        VPNHA_TRY(lives[id], gateway.voters().fenceable(victim, now));
    }
    return lives;
}

Effects Node::fence(RequestToken request, NodeId victim, Duration patience, TimePoint now) {
    Effects effects;
    Result<Lives> lives = fenceable(victim, now);
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
        effects.emplace_back(Log{LogLevel::warning,
                                 fmt::format("node {} is to be fenced event=fence", victim.value)});
        fencings_.push_back({victim, std::move(*lives), now, now, {{request, now + patience}}});
    }
    settle(now, effects);
    return effects;
}

TimePoint Node::asks_at(const Fencing& fencing, TimePoint now) const {
    const NodeId victim = fencing.victim;
    Duel duel{settings_.self,      victim, 0,
              gateways_of(victim), false,  lost_at(victim).value_or(fencing.since)};
    Duration patience{};
    bool has_witness = false;
    for (const auto& [id, gateway] : gateways_) {
        const lease::Engine& lease = gateway.cores().lease.engine();
        has_witness = has_witness || lease.state().voters.has(lease::kWitness);
        duel.own += lease.holder().serving() ? 1 : 0;
        duel.is_answered =
            duel.is_answered || gateway.voters().is_answered(victim, fencing.since, now);
        patience = lease.holder().timing().absence;
    }
    return has_witness && !members_.contains(victim) ? asks_for_marks_at(duel, patience)
                                                     : TimePoint{};
}

Result<void> Node::ask_for_marks(Fencing& fencing, TimePoint now, Effects& effects) {
    fencing.again_at = now + kAskAgain;
    for (const auto& [id, boot] : fencing.lives) {
        VPNHA_CHECK(gateways_.at(id).voters().reach_markers(fencing.victim, now));
    }
    if (now < asks_at(fencing, now)) {
        for (auto& [id, gateway] : gateways_) {
            gateway.ask_voters(now, effects,
                               [&](GatewayVoters& voters) { voters.ask_witness(effects); });
        }
        // The witness answers after the first question.
        if (now > fencing.since && !std::exchange(fencing.waits, true)) {
            effects.emplace_back(
                Log{LogLevel::info,
                    fmt::format("node {} serves, or another voter answers it: this node "
                                "leaves it some time to fence first event=fence-waits",
                                fencing.victim.value)});
        }
        return {};
    }
    // For two nodes that fence each other the first gateway decides for all of them.
    fencing.asked = 0;
    for (const auto& [id, boot] : fencing.lives) {
        GatewayNode& gateway = gateways_.at(id);
        VPNHA_CHECK(gateway.ask_voters(now, effects, [&](GatewayVoters& voters) {
            return voters.fence(fencing.victim, boot, now, effects);
        }));
        ++fencing.asked;
        if (!gateway.voters().fencing(fencing.victim, boot)->agreed) {
            break;
        }
    }
    return {};
}

std::size_t Node::count(const Fencing& fencing, bool lease::Engine::Fencing::*what) const {
    return static_cast<std::size_t>(
        std::count_if(fencing.lives.begin(), fencing.lives.end(), [&](const auto& life) {
            const auto* const found =
                gateways_.at(life.first).voters().fencing(fencing.victim, life.second);
            return found != nullptr && found->*what;
        }));
}

bool Node::asks_now(const Fencing& fencing, TimePoint now) const {
    const bool continues = fencing.asked > 0 && fencing.asked < fencing.lives.size() &&
                           count(fencing, &lease::Engine::Fencing::agreed) >= fencing.asked;
    return now >= fencing.again_at || continues;
}

bool Node::is_refused(const Fencing& fencing) const {
    return fencing.asked > 0 && count(fencing, &lease::Engine::Fencing::refused) > 0;
}

bool Node::has_lost_to(NodeId node, TimePoint now) const {
    const std::optional<TimePoint> lost = lost_at(node);
    return lost && now < *lost + kDuelLasts &&
           std::any_of(gateways_.begin(), gateways_.end(), [&](const auto& each) {
               const GatewayNode& gateway = each.second;
               const auto& fencing = gateway.cores().lease.engine().state().fencing;
               return fencing && fencing->victim == node && fencing->refused &&
                      fencing->boot == gateway.cores().lease.engine().newest_life_of(node) &&
                      gateway.voters().witness().is_answering(now);
           });
}

bool Node::is_fenced(const Fencing& fencing) const {
    return count(fencing, &lease::Engine::Fencing::done) == fencing.lives.size();
}

void Node::continue_fencing(TimePoint now, Effects& effects) {
    give_up_fencing(now, effects);
    while (!fencings_.empty()) {
        Fencing& first = fencings_.front();
        Result<void> result;
        if (is_refused(first)) {
            result = fail(Errc::busy, fmt::format("the witness has this node marked, as node {} "
                                                  "has asked: that one is left",
                                                  first.victim.value));
            effects.emplace_back(
                Log{LogLevel::warning, result.error().detail + " event=fence-refused"});
        } else if (asks_now(first, now)) {
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
                         fmt::format("no majority of the voters could confirm in time that its "
                                     "promises to node {} have run out",
                                     fencing.victim.value))});
            }
            return over;
        });
    }
    std::erase_if(fencings_, [](const Fencing& fencing) { return fencing.waiting.empty(); });
}

bool Node::fenced() const {
    return std::any_of(gateways_.begin(), gateways_.end(), [](const auto& each) {
        return each.second.cores().lease.engine().state().fenced;
    });
}

bool Node::is_marked(NodeId node) const {
    return std::all_of(gateways_.begin(), gateways_.end(), [node](const auto& each) {
        const lease::Engine& lease = each.second.cores().lease.engine();
        const std::optional<lease::BootId> boot = lease.newest_life_of(node);
        return boot && lease.voter().is_marked(node, *boot);
    });
}

}  // namespace vpnha::node
