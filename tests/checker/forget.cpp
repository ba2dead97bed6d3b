// SPDX-License-Identifier: GPL-2.0-or-later
// Which messages are forgotten, because nobody minds them any more.
#include <algorithm>
#include <utility>

#include "checker/world.hpp"

namespace vpnha::checker {

namespace {

bool holds(const lease::Voter::Promise& promise, TimePoint now) {
    return now < promise.until && !promise.released;
}

// To hear of its sender once more changes nothing.
bool knows_lives(const World& world, const Node& node) {
    return world.left.deaths == 0 && !node.engine.state().alone;
}

// The receiver refuses it now and for ever, and nobody minds.
bool is_idle(const Run& run, const World& world, const lease::Round& round, const Flying& flying,
             const Node& node) {
    const Epoch& epoch = round.id.epoch;
    if (!node.disk || node.disk->granted <= epoch ||
        round.voters.newer_than(node.engine.state().voters)) {
        return false;
    }
    const lease::Voter::Promise& promise = node.engine.voter().state().promise;
    if (round.released == promise.epoch && holds(promise, node.now)) {
        return false;
    }
    // A refusal is for that life of the asker; it may learn from it what to claim next, which
    // voters there are, and that it is fenced.
    const Node& asker = *world.nodes[index_of(flying.sender.node)];
    if (asker.self.instance != flying.sender.instance) {
        return true;
    }
    return world.left.claims == 0 && asker.engine.holder().phase() != lease::Phase::claiming &&
           run.bounds.changes == 0 && run.bounds.marks == 0 && run.start != Start::fenced;
}

// No promise of that node to the epoch holds, and it will make none.
bool is_idle(const World& world, const lease::Release& release, std::size_t i) {
    const Node& node = *world.nodes[i];
    const lease::Voter::Promise& promise = node.engine.voter().state().promise;
    return !(promise.epoch == release.epoch && holds(promise, node.now)) &&
           std::none_of(world.network.begin(), world.network.end(), [&](const auto& other) {
               const auto* round = std::get_if<lease::Round>(&other->message);
               return round != nullptr && (other->to >> i & 1) != 0 &&
                      round->id.epoch == release.epoch;
           });
}

// The node has that mark, and nobody waits for its answer.
bool is_idle(const World& world, const lease::MarkRequest& request, const Flying& flying,
             const Node& node) {
    const auto& fencing = world.nodes[index_of(flying.sender.node)]->engine.state().fencing;
    return (!fencing || fencing->done) && node.disk &&
           std::find(node.disk->marks.begin(), node.disk->marks.end(),
                     lease::Mark{request.victim, request.boot}) != node.disk->marks.end();
}

// Its asker would not listen to the answer.
bool is_idle(const World& world, const Flying& asked) {
    const Node& asker = *world.nodes[index_of(asked.sender.node)];
    return asker.engine.remembers() || asker.self.instance != asked.sender.instance;
}

bool is_idle(const World& world, const lease::Question& question) {
    return !is_open(*world.nodes[index_of(question.id.epoch.node)], question);
}

// Its asker counts it no more. A handover says more than a vote, to that claim.
bool is_closed(const World& world, const lease::Answer& answer) {
    const Node& asker = *world.nodes[index_of(answer.id.epoch.node)];
    return !is_open(asker, answer.id) && !(answer.handover && asks_for(asker, answer.id));
}

}  // namespace

// Of two rounds that their asker has closed, each tells whoever hears it the same: the younger is
// there for longer.
void Step::forget_closed_rounds() {
    const auto released = [this](const lease::Round& round) {
        return round.released && matters(world, *round.released) ? *round.released : Epoch{};
    };
    const auto needless = [&](const auto& old) {
        const auto* round = std::get_if<lease::Round>(&old->message);
        if (round == nullptr || is_open(*world.nodes[index_of(old->sender.node)], round->id)) {
            return false;
        }
        return std::any_of(world.network.begin(), world.network.end(), [&](const auto& young) {
            const auto* other = std::get_if<lease::Round>(&young->message);
            return other != nullptr && other != round && old->sender == young->sender &&
                   round->id.epoch == other->id.epoch && round->id.number < other->id.number &&
                   (old->to & ~young->to) == 0 && round->held == other->held &&
                   round->voters == other->voters && released(*round) == released(*other) &&
                   !is_open(*world.nodes[index_of(young->sender.node)], other->id);
        });
    };
    for (std::size_t i = world.network.size(); i-- > 0;) {
        if (needless(world.network[i])) {
            world.network.erase(world.network.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
}

// What changes nothing at a receiver, whatever comes, is as good as lost.
void Step::forget_idle_receivers() {
    for (auto& flying : world.network) {
        std::uint8_t to = 0;
        for (std::size_t i = 0; i < world.nodes.size(); ++i) {
            const Node& node = *world.nodes[i];
            bool idle = (flying->to >> i & 1) == 0 || node.dead;
            if (!idle && knows_lives(world, node)) {
                if (const auto* round = std::get_if<lease::Round>(&flying->message)) {
                    idle = is_idle(run_, world, *round, *flying, node);
                } else if (const auto* release = std::get_if<lease::Release>(&flying->message)) {
                    idle = is_idle(world, *release, i);
                } else if (const auto* mark = std::get_if<lease::MarkRequest>(&flying->message)) {
                    idle = is_idle(world, *mark, *flying, node);
                } else if (const auto* answer = std::get_if<lease::Answer>(&flying->message)) {
                    idle = is_closed(world, *answer);
                } else if (std::holds_alternative<lease::Recall>(flying->message)) {
                    idle = is_idle(world, *flying);
                } else if (const auto* asked = std::get_if<lease::Question>(&flying->message)) {
                    idle = is_idle(world, *asked);
                }
            }
            to |= static_cast<std::uint8_t>(idle ? 0 : 1U << i);
        }
        if (to != flying->to) {
            flying = std::make_shared<const Flying>(Flying{flying->sender, to, flying->message});
        }
    }
    std::erase_if(world.network, [](const auto& flying) { return flying->to == 0; });
}

void Step::prune() {
    std::erase_if(world.network, [this](const auto& flying) {
        const auto* round = std::get_if<lease::Round>(&flying->message);
        return round != nullptr &&
               round->sent_at + round->lease <= world.nodes[index_of(flying->sender.node)]->now;
    });
    if (!tells_margins(run_, world)) {  // There the newest round of an epoch says more.
        forget_closed_rounds();
    }
    forget_idle_receivers();
}

}  // namespace vpnha::checker
