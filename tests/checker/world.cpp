// SPDX-License-Identifier: GPL-2.0-or-later
#include "checker/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vpnha::checker {

lease::Setup setup_of(const Run& run, const lease::Sender& self) {
    lease::Setup setup{self, timing_of(run, index_of(self.node)), {}};
    if (run.start == Start::edited && self.instance.value > 1) {
        return {self, setup.timing, {self.node}};
    }
    for (int i = 0; i < run.voters; ++i) {
        setup.voters.push_back(id_of(run, static_cast<std::size_t>(i)));
    }
    return setup;
}

lease::Position position_of(const Run& run, std::size_t index) {
    return {Epoch{1, id_of(run, 0)}, (run.behind >> index & 1) != 0 ? 1U : 2U};
}

namespace {

using lease::Message;

bool holds(const lease::Voter::Promise& promise, TimePoint now) {
    return now < promise.until && !promise.released;
}

// To hear of its sender once more changes nothing.
bool knows_lives(const World& world, const Node& node) {
    return world.left.deaths == 0 && !node.engine.state().alone;
}

// That node would join these to its own.
bool is_news(const lease::Marks& marks, const Node& node) {
    return std::any_of(marks.begin(), marks.end(), [&node](const lease::Mark& mark) {
        return !node.engine.voter().is_marked(mark.node, mark.boot);
    });
}

// The receiver refuses it now and for ever, and nobody minds.
bool is_idle(const Run& run, const World& world, const lease::Round& round, const Flying& flying,
             const Node& node) {
    const Epoch& epoch = round.id.epoch;
    if (!node.disk || node.disk->granted <= epoch ||
        round.voters.newer_than(node.engine.state().voters) || is_news(round.marks, node)) {
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
           run.bounds.changes == 0 && !has_marks(run);
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

// Its asker counts it no more, and has its marks. A handover says more than a vote, to that claim.
bool is_closed(const World& world, const lease::Answer& answer) {
    const Node& asker = *world.nodes[index_of(answer.id.epoch.node)];
    return !is_open(asker, answer.id) && !(answer.handover && asks_for(asker, answer.id)) &&
           !is_news(answer.marks, asker);
}

}  // namespace

bool matters(const World& world, const Epoch& epoch) {
    const auto promises = [&epoch](const auto& node) {
        const lease::Voter::Promise& promise = node->engine.voter().state().promise;
        return promise.epoch == epoch && !promise.released && node->now < promise.until;
    };
    const auto asks = [&epoch](const auto& flying) {
        const auto* round = std::get_if<lease::Round>(&flying->message);
        return round != nullptr && round->id.epoch == epoch;
    };
    return std::any_of(world.nodes.begin(), world.nodes.end(), promises) ||
           std::any_of(world.network.begin(), world.network.end(), asks);
}

std::set<NodeId> members(std::uint8_t mask) {
    std::set<NodeId> nodes;
    for (std::size_t i = 0; i < kNodesMax; ++i) {
        if ((mask >> i & 1) != 0) {
            nodes.insert(NodeId{static_cast<std::uint32_t>(i + 1)});
        }
    }
    return nodes;
}

bool asks_for(const Node& asker, const lease::RoundId& id) {
    const lease::Holder::State& holder = asker.engine.holder().state();
    return holder.phase != lease::Phase::idle && holder.claimed == id.epoch &&
           asker.self.instance == id.instance;
}

bool is_open(const Node& asker, const lease::RoundId& id) {
    const lease::Holder& holder = asker.engine.holder();
    return asks_for(asker, id) && std::any_of(holder.state().rounds.begin(),
                                              holder.state().rounds.end(), [&](const auto& open) {
                                                  return open.number == id.number &&
                                                         asker.now < open.sent_at + open.lease;
                                              });
}

bool is_open(const Node& asker, const lease::Question& question) {
    const std::optional<lease::Engine::Inquiry>& inquiry = asker.engine.state().inquiry;
    const Duration open_for = asker.engine.holder().timing().ask_open;
    return inquiry &&
           std::any_of(inquiry->open.begin(), inquiry->open.end(), [&](const auto& asked) {
               return asked.id == question.id && asked.at + open_for >= asker.now;
           });
}

bool may_be_two(const Run& run) {
    return run.third == Third::liar && !run.prompt;
}

bool has_marks(const Run& run) {
    return run.bounds.marks > 0 || run.start == Start::fenced;
}

bool reports_margins(const Run& run, const World& world) {
    return run.margins &&
           (world.left.claims > 0 ||
            std::any_of(world.nodes.begin(), world.nodes.end(), [](const auto& node) {
                return node->engine.holder().phase() == lease::Phase::claiming;
            }));
}

Node& Step::change(std::size_t index) {
    std::shared_ptr<Node>& node = world.nodes[index];
    if (node.use_count() > 1) {
        node = std::make_shared<Node>(*node);
    }
    node->body.reset();
    return *node;
}

void Step::fail(std::string what) {
    if (world.broken.empty()) {
        world.broken = std::move(what);
    }
}

void Step::execute(std::size_t index, const lease::Effects& effects, Answers answers,
                   std::size_t breaks) {
    std::size_t done = 0;
    for (const lease::Effect& effect : effects) {
        if (done++ == breaks) {
            broke_ = true;
            restart(index);
            return;
        }
        if (const auto* save = std::get_if<lease::SaveDurable>(&effect)) {
            change(index).disk = save->durable;
        } else if (const auto* deadline = std::get_if<lease::SetDeadline>(&effect)) {
            open(index, deadline->deadline);
        } else if (std::holds_alternative<lease::Leave>(effect)) {
            open(index, TimePoint{});
        } else if (const auto* grant = std::get_if<lease::Granted>(&effect)) {
            granted(*grant);
        } else if (const auto* message = std::get_if<lease::Send>(&effect)) {
            send(index, *message, answers);
        } else if (const auto* fenced = std::get_if<lease::RunOut>(&effect)) {
            world.run_out |= static_cast<std::uint8_t>(1U << index_of(fenced->victim));
        }
    }
}

void Step::open(std::size_t index, TimePoint deadline) {
    Node& node = change(index);
    node.gate = deadline;
    node.gate_epoch = node.engine.holder().epoch();
    if (deadline == TimePoint{} || !run_.margins) {
        return;
    }
    if (world.notified && node.gate_epoch == world.notified->epoch &&
        deadline > world.notified->until) {
        fail(fmt::format("epoch {} speaks longer than its successor was told",
                         to_string(node.gate_epoch)));
    }
    if (node.gate_epoch >= world.served.epoch) {
        world.served = {node.gate_epoch, deadline};
    }
}

void Step::granted(const lease::Granted& granted) {
    if (!run_.margins) {
        return;
    }
    const Served& served = world.served;
    const lease::Margin& margin = granted.margin;
    world.notified.reset();
    if (served.epoch.node != granted.epoch.node && granted.elsewhere < served.epoch) {
        fail("a claimant was not told that another node may have served");
    }
    switch (margin.kind) {
        case lease::Margin::Kind::none:
            if (served.epoch != Epoch{}) {
                fail("a claimant was told that nobody spoke before");
            }
            break;
        case lease::Margin::Kind::bounded:
            if (margin.epoch != served.epoch || margin.until < served.deadline) {
                fail(fmt::format("a claimant was told too small a margin, of epoch {}",
                                 to_string(margin.epoch)));
            }
            world.notified = margin;
            break;
        case lease::Margin::Kind::handed_over:
            if (margin.epoch != served.epoch) {
                fail("a claimant got the counters of another epoch than the last");
            }
            break;
        case lease::Margin::Kind::largest:
            break;
    }
}

void Step::send(std::size_t from, const lease::Send& send, Answers answers) {
    const lease::Sender sender = world.nodes[from]->self;
    const std::size_t to = index_of(send.to);
    if (run_.third == Third::liar && to == kThird) {
        return;
    }
    const auto receivers = static_cast<std::uint8_t>(1U << to);
    const bool is_answer = std::holds_alternative<lease::Answer>(send.message);
    if (!is_answer && !std::holds_alternative<lease::Refusal>(send.message) &&
        !std::holds_alternative<lease::MarkAnswer>(send.message) &&
        !std::holds_alternative<lease::Memory>(send.message) &&
        !std::holds_alternative<lease::Opinion>(send.message)) {
        fly(sender, receivers, send.message);
        return;
    }
    answered_ = answered_ || is_answer;
    const Answers becomes = is_answer ? answers : Answers::at_once;
    if (becomes == Answers::late) {
        fly(sender, receivers, send.message);
    } else if (becomes == Answers::at_once && world.nodes[to]->runs()) {
        deliver(to, Flying{sender, receivers, send.message}, answers);
    }
}

void Step::fly(const lease::Sender& sender, std::uint8_t to, const Message& message) {
    if (run_.prompt) {
        prompt_.push_back({sender, to, message});
        return;
    }
    for (auto& flying : world.network) {
        if (flying->sender == sender && flying->message == message) {
            const auto receivers = static_cast<std::uint8_t>(flying->to | to);
            flying = std::make_shared<const Flying>(Flying{sender, receivers, message});
            return;
        }
    }
    world.network.push_back(std::make_shared<const Flying>(Flying{sender, to, message}));
}

void Step::deliver(std::size_t to, const Flying& flying, Answers answers, std::size_t breaks) {
    Node& node = change(to);
    const auto* round = std::get_if<lease::Round>(&flying.message);
    const bool is_opinion = std::holds_alternative<lease::Opinion>(flying.message);
    const bool is_question = std::holds_alternative<lease::Question>(flying.message);
    if (round != nullptr && round->held && node.engine.holder().serving()) {
        node.warned = std::max(node.warned, round->id.epoch);
    }
    std::optional<lease::Engine> before;  // A copy costs time.
    if (is_opinion || is_question ||
        (round != nullptr && node.engine.state().yields != lease::Yields::no)) {
        before = node.engine;
    }
    const lease::Effects effects =
        node.witness
            ? effects_of(node, node.witness->on_message(flying.sender, flying.message, node.now))
            : node.engine.on_message(flying.sender, flying.message, node.now);
    if (is_opinion) {
        check_inquiry(to, *before);
    } else if (is_question) {
        check_question(to, *before, flying, effects);
    } else if (before) {
        check_yielding(to, *before, *round);
    }
    if (!world.beyond) {
        execute(to, effects, answers, breaks);
    }
}

void Step::check_inquiry(std::size_t to, const lease::Engine& before) {
    const lease::Engine& after = world.nodes[to]->engine;
    const bool claims = after.holder().epoch() != before.holder().epoch();
    if (claims && world.left.claims != kUnbounded) {
        world.beyond = world.left.claims == 0;
        world.left.claims = static_cast<std::uint8_t>(world.left.claims - (world.beyond ? 0 : 1));
    }
    const auto agreed = [](const lease::Engine& engine) {
        static const std::vector<lease::Engine::Inquiry::Asked> kNothing;
        const auto& inquiry = engine.state().inquiry;
        const auto& open = inquiry ? inquiry->open : kNothing;
        return std::count_if(open.begin(), open.end(),
                             [](const auto& asked) { return asked.agreed; });
    };
    // Of a node that stood still nobody knows what it takes for true when it continues.
    const bool stood_still = run_.bounds.pauses > 0 || run_.start == Start::stale_pause;
    if (!stood_still && (claims || agreed(after) > agreed(before)) &&
        std::any_of(world.nodes.begin(), world.nodes.end(),
                    [](const auto& node) { return node->speaks(); })) {
        fail("a majority would answer a claim, and a deadline lies ahead");
    }
}

void Step::check_question(std::size_t to, const lease::Engine& before, const Flying& asked,
                          const lease::Effects& effects) {
    const lease::Engine& after = world.nodes[to]->engine;
    const std::size_t asker = index_of(asked.sender.node);
    const bool agrees = std::any_of(effects.begin(), effects.end(), [](const auto& effect) {
        const auto* sent = std::get_if<lease::Send>(&effect);
        const auto* opinion =
            sent != nullptr ? std::get_if<lease::Opinion>(&sent->message) : nullptr;
        return opinion != nullptr && opinion->verdict == lease::Verdict::answered;
    });
    if (agrees && world.nodes[to]->quorate && (world.nodes[to]->present >> asker & 1) == 0) {
        fail("a voter agrees to a node that its quorate group does not have");
    }
    if (agrees && !world.nodes[to]->is_witness() &&
        position_of(run_, asker) < position_of(run_, to)) {
        fail("a voter agrees to a node that has less than the voter");
    }
    // A newer list of voters and marks are learned from whoever has them.
    if (after.state().voters == before.state().voters &&
        after.voter().state().marks == before.voter().state().marks &&
        (!(after.voter() == before.voter()) || !(after.holder() == before.holder()))) {
        fail("a question has changed what a voter does");
    }
}

void Step::check_yielding(std::size_t to, const lease::Engine& before, const lease::Round& round) {
    const lease::Engine::State& was = before.state();
    const auto& handing = world.nodes[to]->engine.state().handing;
    if (before.holder().phase() == lease::Phase::holding && handing != was.handing &&
        handing->claim == round.id.epoch &&
        (was.yields == lease::Yields::no || was.yields_not_to == round.id.epoch.node)) {
        fail("a holder hands over to a claim that it does not yield to");
    }
}

void Step::tick() {
    for (std::size_t i = 0; i < world.nodes.size(); ++i) {
        if (!world.nodes[i]->paused) {
            Node& node = change(i);
            node.now += Duration(run_.rates[i]);
            if (!run_.late_lapses && node.engine.holder().lapsed(node.now)) {
                // At its next event at the latest; what it says then may be late anyway.
                execute(i, node.engine.on_members(members(node.present), node.quorate, node.now),
                        Answers::at_once);
            }
        }
    }
}

void Step::restart(std::size_t index, bool keep_disk) {
    Node& node = change(index);
    if (!keep_disk) {
        node.disk.reset();
    }
    ++node.self.instance.value;
    node.engine = engine_of(run_, node, node.now);
    node.present = kAll;
    node.quorate = true;
    if (!node.is_witness()) {
        static_cast<void>(node.engine.on_members(members(node.present), node.quorate, node.now));
    }
}

void Step::act(std::size_t index) {
    Node& node = change(index);
    execute(index,
            node.witness ? effects_of(node, node.witness->on_time(node.now))
                         : node.engine.on_time(node.now),
            Answers::at_once);
}

void Step::receive_promptly() {
    while (!prompt_.empty()) {
        const Flying flying = std::move(prompt_.front());
        prompt_.pop_front();
        for (std::size_t i = 0; i < world.nodes.size(); ++i) {
            if ((flying.to >> i & 1) != 0 && world.nodes[i]->runs()) {
                deliver(i, flying, Answers::at_once);
            }
        }
    }
}

void Step::cut_power(std::size_t index) {
    restart(index);  // What it was about to do is gone.
    Node& node = change(index);
    node.dead = true;
    node.gate = {};
}

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
                   round->voters == other->voters && round->marks == other->marks &&
                   released(*round) == released(*other) &&
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
    if (!reports_margins(run_, world)) {  // There the newest round of an epoch says more.
        forget_closed_rounds();
    }
    forget_idle_receivers();
}

void Step::finish() {
    receive_promptly();
    prune();
    check_lies();
    check_duel();
    for (const auto& node : world.nodes) {
        if (node->speaks()) {
            world.top = std::max(world.top, node->gate_epoch);
        }
    }
    world.overlap = false;
    for (std::size_t i = 0; i < world.nodes.size(); ++i) {
        const Node& node = *world.nodes[i];
        if (!node.speaks()) {
            continue;
        }
        const bool another =
            std::any_of(world.nodes.begin(), world.nodes.end(),
                        [&](const auto& other) { return other.get() != &node && other->speaks(); });
        const bool is_stale = node.gate_epoch < world.top;
        const bool is_fenced = (world.run_out >> i & 1) != 0;
        // It has not received yet that the other one holds.
        const bool is_unwarned = may_be_two(run_) && node.warned <= node.gate_epoch;
        if ((node.just_thawed() && (is_stale || is_fenced)) || (is_stale && is_unwarned)) {
            world.overlap = world.overlap || another;
        } else if (another && is_stale) {
            fail("two deadlines lie ahead");
        } else if (is_stale) {
            fail("an epoch is valid after a higher one was");
        } else if (is_fenced) {
            fail("a fenced node has its deadline ahead");
        } else if (another &&
                   std::any_of(world.nodes.begin(), world.nodes.end(), [&](const auto& other) {
                       return other.get() != &node && other->speaks() &&
                              other->gate_epoch == node.gate_epoch;
                   })) {
            fail("two deadlines of one epoch lie ahead");
        }
    }
}

}  // namespace vpnha::checker
