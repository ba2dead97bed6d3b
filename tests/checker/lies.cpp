// SPDX-License-Identifier: GPL-2.0-or-later
#include "checker/lies.hpp"

#include <algorithm>

namespace vpnha::checker {

namespace {

class Liar {
  public:
    Liar(const Run& run, const World& world, std::size_t index)
        : run_(run), world_(world), victim_(*world.nodes[index]), other_(*world.nodes[1 - index]) {
        for (const auto& node : world.nodes) {
            highest_ = std::max({highest_, node->engine.voter().granted().number,
                                 node->engine.holder().epoch().number});
        }
        list_ = victim_.engine.state().voters;
        list_.current.version = {{highest_ + 1, other_.self.node}, 0};
        list_.current.nodes = {victim_.self.node, lease::kWitness};
        list_.next.reset();
        marks_ = {{world.nodes[0]->self.node, world.nodes[0]->self.boot},
                  {world.nodes[1]->self.node, world.nodes[1]->self.boot}};
    }

    [[nodiscard]] std::vector<Lie> all() {
        to_rounds();
        to_questions();
        unasked();
        return std::move(lies_);
    }

  private:
    void emit(std::string_view what, lease::Message message) {
        lies_.push_back({what, std::move(message)});
    }

    // A newer reading of the counters than there is, of the epoch that the victim knows.
    [[nodiscard]] lease::Before before() const {
        lease::Before before;
        before.knowledge = lease::Knowledge::received;
        before.received.epoch = victim_.engine.voter().state().before.received.epoch;
        before.received.number = 100;
        before.received.until = other_.now - Duration(100);
        before.received.held = true;
        before.received.checkpoint = {before.received.epoch, 100, other_.now};
        return before;
    }

    void to_rounds() {
        const lease::Holder::State& holder = victim_.engine.holder().state();
        if (holder.phase == lease::Phase::idle) {
            return;
        }
        for (const lease::Holder::OpenRound& open : holder.rounds) {
            const lease::RoundId id{holder.claimed, victim_.self.instance, open.number};
            lease::Answer answer{id, {}, std::nullopt, true, marks_};
            emit("is answered by the liar", answer);
            if (run_.margins) {
                answer.before = before();
                emit("is answered by the liar, with a reading", answer);
            }
            answer.marks.clear();
            answer.handover = lease::Handover{other_.gate_epoch, {}, {}};
            emit("is handed what the other one has, by the liar", answer);
        }
        const lease::RoundId id{holder.claimed, victim_.self.instance, holder.number};
        emit("is refused by the liar as marked",
             lease::Refusal{id, lease::Verdict::marked, {}, list_, marks_});
        if (world_.left.claims > 0) {
            emit("is refused by the liar, with a high epoch",
                 lease::Refusal{id, lease::Verdict::superseded, high(), list_, marks_});
        }
    }

    void to_questions() {
        const auto& inquiry = victim_.engine.state().inquiry;
        if (!inquiry) {
            return;
        }
        for (const lease::Engine::Inquiry::Asked& open : inquiry->open) {
            emit("is agreed with by the liar",
                 lease::Opinion{open.id, lease::Verdict::answered, {}, list_, marks_});
            emit("is told of an order by the liar",
                 lease::Opinion{open.id, lease::Verdict::ordered, high(), list_, marks_});
        }
    }

    void unasked() {
        lease::Round round;
        round.id = {{highest_ + 1, lease::kWitness}, {1}, 1};
        round.lease = timing_of(run_, kThird).lease;
        round.voters = victim_.engine.state().voters;
        round.released = other_.gate_epoch;
        round.marks = marks_;
        emit("is asked by the liar", round);
        emit("is told by the liar that the other one has released",
             lease::Release{other_.gate_epoch, true, true});
        emit("is asked by the liar to mark itself",
             lease::MarkRequest{victim_.self.node, victim_.self.boot});
        emit("is asked by the liar to mark the other one",
             lease::MarkRequest{other_.self.node, other_.self.boot});
        emit("is told by the liar of a mark",
             lease::MarkAnswer{other_.self.node, other_.self.boot, true, list_, marks_});
        emit("is told by the liar what it remembers",
             lease::Memory{victim_.self.instance, high(), marks_, list_});
        emit("is questioned by the liar", lease::Question{round.id, list_, {}, marks_});
    }

    [[nodiscard]] Epoch high() const { return {highest_ + 1, other_.self.node}; }

    const Run& run_;
    const World& world_;
    const Node& victim_;
    const Node& other_;
    std::uint64_t highest_ = 0;
    lease::Voters list_;
    lease::Marks marks_;
    std::vector<Lie> lies_;
};

}  // namespace

std::vector<Lie> lies_to(const Run& run, const World& world, std::size_t index) {
    return Liar(run, world, index).all();
}

}  // namespace vpnha::checker
