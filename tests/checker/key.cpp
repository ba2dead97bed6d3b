// SPDX-License-Identifier: GPL-2.0-or-later
#include "checker/key.hpp"

#include <algorithm>

namespace vpnha::checker {

namespace {

using lease::Engine;
using lease::Holder;
using lease::Voter;

class Key {
  public:
    Key(const Run& run, const World& world, std::string& out)
        : run_(run), timing_(timing_of(run)), world_(world), out_(out) {}

    void write() {
        const Bounds& left = world_.left;
        for (const std::uint8_t count :
             {left.claims, left.crashes, left.pauses, left.releases, left.demotions, left.marks,
              left.changes, left.rings, left.deaths, world_.run_out}) {
            put(count);
        }
        put(world_.top);
        if (run_.margins) {
            put(world_.served.epoch);
            put(world_.told.has_value());
            if (world_.told) {
                put(world_.told->epoch);
                put_signed(world_.told->until - world_.served.deadline);
            }
        }
        for (const auto& node : world_.nodes) {
            put_node(*node);
        }
        std::vector<std::string> flying;
        for (const auto& one : world_.network) {
            std::string text;
            Key(run_, world_, text).put_flying(*one);
            flying.push_back(std::move(text));
        }
        std::sort(flying.begin(), flying.end());
        for (const std::string& text : flying) {
            out_ += text;
        }
    }

  private:
    void put(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
    void put(bool value) { put(static_cast<std::uint8_t>(value ? 1 : 0)); }
    void put(const Epoch& epoch) {
        put(static_cast<std::uint8_t>(epoch.number));
        put(static_cast<std::uint8_t>(epoch.node.value));
    }
    void put_dead(const std::optional<Epoch>& epoch) {
        put(epoch && matters(world_, *epoch) ? *epoch : Epoch{});
    }
    void put_signed(Duration time) {
        put(static_cast<std::uint8_t>(std::clamp<Duration::rep>(time.count(), -100, 100) + 128));
    }
    // What is left of it at `now`; over is over.
    void put_left(TimePoint time, TimePoint now) {
        put(static_cast<std::uint8_t>(std::clamp<Duration::rep>((time - now).count(), 0, 200)));
    }
    void put(const std::vector<NodeId>& nodes) {
        std::uint8_t mask = 0;
        for (const NodeId node : nodes) {
            mask |= static_cast<std::uint8_t>(1U << index_of(node));
        }
        put(mask);
    }
    void put(const lease::VoterList& list) {
        put(list.version.epoch);
        put(static_cast<std::uint8_t>(list.version.change));
        put(list.nodes);
    }
    void put(const lease::Voters& voters) {
        put(voters.current);
        put(voters.next.has_value());
        if (voters.next) {
            put(*voters.next);
        }
    }
    void put(const std::vector<lease::Mark>& marks) {
        std::vector<NodeId> nodes;
        for (const lease::Mark& mark : marks) {
            nodes.push_back(mark.node);
        }
        put(nodes);
    }
    // Against the last time that anybody served: only that is ever compared with it.
    void put(const lease::Heard& heard) {
        put(heard.epoch);
        put(heard.held);
        if (heard.epoch == world_.served.epoch) {
            put_signed(heard.sent_at + timing_.lease - world_.served.deadline);
        }
    }
    void put(const lease::Before& before) {
        put(static_cast<std::uint8_t>(before.knowledge));
        if (before.knowledge == lease::Knowledge::heard) {
            put(before.heard);
        }
    }
    // Times of nodes that are, or may yet be, being fenced.
    void put(std::vector<Voter::Timed> times, Duration matters, TimePoint now) {
        std::sort(times.begin(), times.end(),
                  [](const auto& a, const auto& b) { return a.node < b.node; });
        for (const Voter::Timed& timed : times) {
            if (timed.at + matters > now && (world_.left.marks > 0 || is_victim(timed.node))) {
                put(static_cast<std::uint8_t>(timed.node.value));
                put_left(timed.at + matters, now);
            }
        }
        put(std::uint8_t{0});
    }

    [[nodiscard]] bool is_victim(NodeId victim) const {
        return std::any_of(world_.nodes.begin(), world_.nodes.end(), [victim](const auto& node) {
            const auto& fencing = node->engine.state().fencing;
            return fencing && !fencing->done && fencing->victim == victim;
        });
    }

    void put_node(const Node& node) {
        put(node.paused);
        put(node.dead);
        put_left(node.gate, node.now);
        put(node.now < node.gate ? node.gate_epoch : Epoch{});
        put_left(node.thaw_over, node.now);
        put(node.disk.has_value());
        if (node.disk) {
            put(node.disk->claimed);
            put(node.disk->granted);
            put(node.disk->marks);
            if (run_.bounds.changes > 0) {
                put(node.disk->voters);
            }
        }
        put_engine(node.engine.state());
        put_voter(node.engine.voter().state(), node.now);
        put_holder(node.engine.holder().state(), node.now);
    }

    void put_engine(const Engine::State& state) {
        const auto& [voters, checkpoint, wanted, quorate, fenced, alone, handing, fencing, lives] =
            state;
        static_cast<void>(checkpoint);  // Only passed on.
        put(static_cast<std::uint8_t>((wanted ? 1 : 0) | (quorate ? 2 : 0) | (fenced ? 4 : 0) |
                                      (alone ? 8 : 0) | (handing ? 16 : 0) | (fencing ? 32 : 0)));
        if (run_.bounds.changes > 0) {
            put(voters);
        }
        if (handing) {
            put(handing->claim);
            put(handing->asked.has_value());
            if (handing->asked) {
                put_number(*handing->asked);
            }
            put(handing->handover.released);
        }
        if (fencing) {
            put(fencing->run_out);
            put(fencing->done);
        }
        if (run_.bounds.deaths > 0) {
            std::vector<NodeId> heard;
            for (const Engine::Life& life : lives) {
                heard.push_back(life.node);
            }
            put(heard);
        }
    }

    void put_voter(const Voter::State& state, TimePoint now) {
        const auto& [started, granted, marks, promise, granted_to, heard, before, answered_at,
                     absent_since] = state;
        static_cast<void>(granted_to);  // A node keeps its boot id.
        put_left(started + timing_.abstention(), now);
        put(granted);
        // A promise that is over counts only against rounds of its epoch that may yet come.
        const bool holds = now < promise.until && !promise.released;
        const bool counts = holds || matters(world_, promise.epoch) || is_alive(promise.epoch);
        put(counts ? promise.epoch : Epoch{});
        put(counts && promise.released);
        put_left(holds ? promise.until : now, now);
        if (run_.bounds.marks > 0 || run_.start == Start::fenced) {
            put(marks);
            put(answered_at, timing_.abstention(), now);
        }
        if (run_.bounds.rings > 0) {
            for (const Voter::Timed& absent : absent_since) {
                put(static_cast<std::uint8_t>(absent.node.value));
                put(absent.at + timing_.absence < now);
                put_left(absent.at + timing_.absence, now);
            }
            put(std::uint8_t{0});
        }
        if (run_.margins) {
            put(heard.has_value());
            if (heard) {
                put(*heard);
            }
            put(before);
        }
    }

    void put_holder(const Holder::State& state, TimePoint now) {
        const auto& [phase, claimed, seen, dead, number, deadline, next_round_at, lame_until,
                     rounds, before, unknown, handover] = state;
        put(static_cast<std::uint8_t>(phase));
        put(claimed);
        put(seen > claimed ? seen : Epoch{});
        put_dead(dead);
        if (phase == lease::Phase::idle) {
            return;
        }
        put_left(deadline, now);
        put_left(next_round_at, now);
        if (phase == lease::Phase::lame) {
            put_left(lame_until, now);
        }
        put(handover.has_value());
        if (handover) {
            put(handover->released);
        }
        for (const Holder::OpenRound& round : rounds) {
            if (round.sent_at + timing_.lease > now) {
                put_left(round.sent_at + timing_.lease, now);
                put(static_cast<std::uint8_t>(number - round.number));
                put(round.answered);
            }
        }
        put(std::uint8_t{0});
        if (run_.margins) {
            put(before);
            put(unknown);
        }
    }

    void put_flying(const Flying& flying) {
        const Node& sender = *world_.nodes[index_of(flying.sender.node)];
        put(static_cast<std::uint8_t>(100 + flying.message.index()));
        put(static_cast<std::uint8_t>(flying.sender.node.value));
        put(flying.sender.instance == sender.self.instance);
        put(flying.to);
        if (const auto* round = std::get_if<lease::Round>(&flying.message)) {
            put(round->id.epoch);
            put_left(round->sent_at + timing_.lease, sender.now);
            put_number(round->id);
            put(round->held);
            put_dead(round->released);
            if (run_.bounds.changes > 0) {
                put(round->voters);
            }
        } else if (const auto* answer = std::get_if<lease::Answer>(&flying.message)) {
            put(answer->id.epoch);
            put_number(answer->id);
            put(answer->handover.has_value());
            if (run_.margins) {
                put(answer->before);
            }
        } else if (const auto* release = std::get_if<lease::Release>(&flying.message)) {
            put(release->epoch);
        } else if (const auto* mark = std::get_if<lease::MarkRequest>(&flying.message)) {
            put(static_cast<std::uint8_t>(mark->victim.value));
        }
    }
    [[nodiscard]] bool is_alive(const Epoch& epoch) const {
        return std::any_of(world_.nodes.begin(), world_.nodes.end(), [&](const auto& node) {
            const Holder::State& holder = node->engine.holder().state();
            return holder.phase != lease::Phase::idle && holder.claimed == epoch;
        });
    }
    // Of a dead round the number is never looked at again.
    void put_number(const lease::RoundId& id) {
        const Node& asker = *world_.nodes[index_of(id.epoch.node)];
        const Holder::State& holder = asker.engine.holder().state();
        const bool alive = holder.claimed == id.epoch && asker.self.instance == id.instance;
        put(static_cast<std::uint8_t>(alive ? holder.number - id.number : 255));
    }

    const Run& run_;
    const lease::Timing timing_;
    const World& world_;
    std::string& out_;
};

}  // namespace

void write_key(const Run& run, const World& world, std::string& key) {
    Key(run, world, key).write();
}

}  // namespace vpnha::checker
