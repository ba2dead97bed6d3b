// SPDX-License-Identifier: GPL-2.0-or-later
#include "checker/key.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace vpnha::checker {

namespace {

using lease::Engine;
using lease::Holder;
using lease::Voter;

// Octets on the stack: a key is made for every move.
class Buffer {
  public:
    void put(std::uint8_t value) {
        if (size_ == octets_.size()) {
            std::abort();  // Longer than any key of three nodes.
        }
        octets_[size_++] = static_cast<char>(value);
    }
    void put(const Print& print) {
        for (int i = 0; i < 64; i += 8) {
            put(static_cast<std::uint8_t>(print.a >> i));
            put(static_cast<std::uint8_t>(print.b >> i));
        }
    }
    [[nodiscard]] Print print() const { return print_of({octets_.data(), size_}); }

  private:
    std::array<char, 1024> octets_;
    std::size_t size_ = 0;
};

class Key {
  public:
    Key(const Run& run, const World& world)
        : run_(run), timing_(timing_of(run, 0)), world_(world) {}

    [[nodiscard]] Print write() {
        const Bounds& left = world_.left;
        for (const std::uint8_t count :
             {left.claims, left.crashes, left.breaks, left.pauses, left.releases, left.demotions,
              left.marks, left.changes, left.rings, left.deaths, left.losses, left.inquiries,
              left.yields, left.cuts, left.returns, left.resizes, world_.run_out,
              world_.claimants}) {
            put(count);
        }
        put(world_.top);
        put(reports_margins(run_, world_) ? world_.served.epoch : Epoch{});
        // Only its own later deadlines are compared with what its successor was told.
        const bool notified = world_.notified && is_alive(world_.notified->epoch);
        put(notified);
        if (notified) {
            const Epoch& epoch = world_.notified->epoch;
            put(epoch);
            put_left(world_.notified->until, world_.nodes[index_of(epoch.node)]->now);
        }
        for (const auto& node : world_.nodes) {
            if (!node->body) {
                Key body(run_, world_);
                body.put_body(*node);
                node->body = body.out_.print();
            }
            out_.put(*node->body);
            put_context(*node);
        }
        // A set has no order: its members' prints are added up.
        Print flying;
        for (const auto& one : world_.network) {
            Key message(run_, world_);
            message.put_flying(*one);
            const Print print = message.out_.print();
            flying.a += print.a;
            flying.b += print.b;
        }
        out_.put(flying);
        return out_.print();
    }

  private:
    void put(std::uint8_t value) { out_.put(value); }
    void put(bool value) { put(static_cast<std::uint8_t>(value ? 1 : 0)); }
    void put(const Epoch& epoch) {
        put(static_cast<std::uint8_t>(epoch.number));
        put(epoch.node);
    }
    // 0: nobody.
    void put(NodeId node) {
        put(static_cast<std::uint8_t>(node == NodeId{} ? 0 : index_of(node) + 1));
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
    void put(const lease::Marks& marks) {
        std::vector<NodeId> nodes;
        for (const lease::Mark& mark : marks) {
            nodes.push_back(mark.node);
        }
        put(nodes);
    }
    // Against the last time that anybody served: only that is ever compared with it.
    void put(const lease::Received& received) {
        put(received.epoch);
        put(received.held);
        if (received.epoch == world_.served.epoch) {
            put_signed(received.until - world_.served.deadline);
        }
    }
    void put(const lease::Before& before) {
        put(static_cast<std::uint8_t>(before.knowledge));
        put(before.elsewhere);
        if (before.knowledge == lease::Knowledge::received) {
            put(before.received);
        }
    }
    // Times of nodes that are, or may yet be, being fenced.
    void put(std::vector<Voter::Timed> times, Duration matters, TimePoint now) {
        std::sort(times.begin(), times.end(),
                  [](const auto& a, const auto& b) { return a.node < b.node; });
        for (const Voter::Timed& timed : times) {
            if (timed.at + matters > now && (world_.left.marks > 0 || is_victim(timed.node))) {
                put(timed.node);
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

    void put(const lease::Durable& disk) {
        put(disk.granted);
        put(disk.ordered);
        put(number_of(std::max(disk.claimed, disk.granted)));
        put(disk.marks);
        put(reports_margins(run_, world_) ? disk.elsewhere : Epoch{});
        if (lists_vary()) {
            put(disk.voters);
        }
    }

    // What its disk covers, and what is sent as soon as it covers more.
    void put_unsaved(const Node& node) {
        put(*node.disk);
        put(node.ahead);
        lease::Witness later = *node.witness;
        for (const lease::Witness::Save& save : node.unsaved) {
            put(save.file.durable);
            put(save.file.ahead);
            for (const lease::Send& send : later.on_saved(save.ticket, true, node.now).sends) {
                Key message(run_, world_);
                message.put_flying(
                    {node.self, std::uint8_t(1U << index_of(send.to)), send.message});
                out_.put(message.out_.print());
            }
            put(std::uint8_t{0});
        }
        put(std::uint8_t{0});
    }

    // What depends on that node alone.
    void put_body(const Node& node) {
        put(node.present);
        put(node.paused);
        put(node.dead);
        put_left(node.gate, node.now);
        put(node.now < node.gate ? node.gate_epoch : Epoch{});
        put_left(node.thaw_over, node.now);
        put(may_be_two(run_) && node.speaks() ? node.warned : Epoch{});
        if (node.witness) {
            const auto due = node.next_deadline();
            put(due && *due <= node.now);
        }
        put_engine(node.engine.state(), node.now);
        put_voter(node.engine.voter().state(), node.now);
        put_holder(node.engine.holder(), node.now);
    }

    // What matters only in some worlds.
    void put_context(const Node& node) {
        const lease::Voter::State& voter = node.engine.voter().state();
        const Holder::State& holder = node.engine.holder().state();
        const Bounds& left = world_.left;
        if (left.crashes > 0 || left.breaks > 0 || left.losses > 0 || left.returns > 0) {
            put(node.disk.has_value());
            if (node.disk) {
                put(*node.disk);
            }
            put(node.ahead);
        }
        if (run_.slow_disk && node.witness) {
            put_unsaved(node);
        }
        // Only the number of the next claim comes from what an idle node has claimed and seen.
        const bool idle = holder.phase == lease::Phase::idle;
        if (world_.left.claims > 0 || holder.phase == lease::Phase::claiming) {
            if (idle) {
                put(number_of(std::max({holder.claimed, holder.seen, voter.granted})));
            } else {
                put(holder.seen > holder.claimed ? holder.seen : Epoch{});
            }
        }
        put_dead(holder.dead);
        // A promise that is over counts only against rounds of its epoch that may yet come.
        const lease::Voter::Promise& promise = voter.promise;
        if (!holds(promise, node.now)) {
            const bool counts = matters(world_, promise.epoch) || is_alive(promise.epoch);
            put(counts ? promise.epoch : Epoch{});
            put(counts && promise.released);
        }
        const auto& handing = node.engine.state().handing;
        if (handing && handing->asked) {
            put_number(*handing->asked);
        }
        if (has_marks(run_)) {
            put(voter.answered_at, timing_.abstention(), node.now);
        }
        if (world_.left.deaths > 0) {
            std::vector<NodeId> received;
            for (const Engine::Life& life : node.engine.state().lives) {
                received.push_back(life.node);
            }
            put(received);
        }
        if (reports_margins(run_, world_)) {
            put_received(voter, holder);
        }
        if (run_.third != Third::node && (run_.margins || run_.bounds.inquiries > 0)) {
            put_signed(node.now - voter.received_at);
            put_signed(node.now - voter.before_at);
        }
    }

    static bool holds(const lease::Voter::Promise& promise, TimePoint now) {
        return now < promise.until && !promise.released;
    }

    static std::uint8_t number_of(const Epoch& epoch) {
        return static_cast<std::uint8_t>(epoch.number);
    }

    // Nodes may go by different lists.
    [[nodiscard]] bool lists_vary() const { return run_.bounds.changes > 0 || forgets(); }
    // Nodes may have no memory.
    [[nodiscard]] bool forgets() const {
        return run_.bounds.losses > 0 || run_.start == Start::fresh ||
               run_.start == Start::all_fresh || run_.start == Start::edited;
    }

    void put_recollection(const Engine::Recollection& recollection, TimePoint now) {
        const auto& [ask_at, notified, spared, reported, asked] = recollection;
        static_cast<void>(reported);  // Only logged.
        static_cast<void>(asked);
        static_cast<void>(spared);  // Nobody says so here.
        put_left(ask_at, now);
        std::uint8_t from = 0;
        for (std::size_t i = 0; i < world_.nodes.size(); ++i) {
            // Whoever tells that it remembers nothing, either, might as well not have answered.
            const auto found =
                std::find_if(notified.begin(), notified.end(), [this, i](const auto& each) {
                    return each.node == id_of(run_, i) && each.memory.voters.newest().has_version();
                });
            if (found != notified.end()) {
                from |= static_cast<std::uint8_t>(1U << i);
                put(found->memory.granted);
                put(found->memory.marks);
                put(found->memory.voters);
            }
        }
        put(from);
    }

    void put_engine(const Engine::State& state, TimePoint now) {
        const auto& [voters, recollection, differing, checkpoint, wanted, ordered, quorate, lapsed,
                     fenced, alone, handing, fencing, lives, inquiry, questions, position, named,
                     saves, granted_on_disk, changes_taken_back, yields, yields_not_to] = state;
        static_cast<void>(position);  // Each node's is the run's.
        static_cast<void>(named);     // No run gets so far as the bound.
        static_cast<void>(saves);     // All disks work.
        static_cast<void>(granted_on_disk);
        static_cast<void>(changes_taken_back);
        static_cast<void>(questions);   // Each has another number.
        static_cast<void>(differing);   // Only shown.
        static_cast<void>(checkpoint);  // Only passed on.
        put(static_cast<std::uint8_t>((wanted ? 1 : 0) | (quorate ? 2 : 0) | (fenced ? 4 : 0) |
                                      (alone ? 8 : 0) | (handing ? 16 : 0) | (fencing ? 32 : 0) |
                                      (ordered ? 64 : 0)));
        if (run_.bounds.rings > 0 || run_.stands_in) {
            put(lapsed);  // All others are quorate for ever.
        }
        if (lists_vary()) {
            put(voters);
        }
        if (forgets()) {
            put_recollection(recollection, now);
        }
        if (handing) {
            put(handing->claim);
            put(handing->asked.has_value());
            put(handing->handover.released);
        }
        if (fencing) {
            put(fencing->victim);
            put(fencing->run_out);
            put(static_cast<std::uint8_t>((fencing->done ? 1 : 0) | (fencing->agreed ? 2 : 0)));
        }
        static_cast<void>(lives);  // put_context() has them.
        put(static_cast<std::uint8_t>(yields));
        put(yields_not_to.value_or(NodeId{}));
        put(inquiry.has_value());
        if (inquiry) {
            put_inquiry(*inquiry, now);
        }
    }

    void put_inquiry(const Engine::Inquiry& inquiry, TimePoint now) {
        const auto& [open, next_at, pause, often_until] = inquiry;
        put_left(next_at, now);
        put(now > next_at + timing_.punctual);
        put(static_cast<std::uint8_t>(pause.count()));
        static_cast<void>(often_until);  // All pauses are alike.
        for (const auto& [id, at, in_row, agreed, willing] : open) {
            put(id.epoch);
            put(at + timing_.ask_open < now);
            put_left(at + timing_.ask_open, now);
            put(in_row);
            put(agreed);
            put(willing);
        }
        put(Epoch{});
    }

    void put_voter(const Voter::State& state, TimePoint now) {
        const auto& [started, granted, ordered, marks, promise, in_vain_since, asked, granted_to,
                     received, received_at, before, before_at, previous, previous_elsewhere, served,
                     answered_at, absent_since, astray, own_astray] = state;
        static_cast<void>(own_astray);
        static_cast<void>(astray);         // No clock of a run is measured.
        static_cast<void>(in_vain_since);  // No run lasts so long.
        static_cast<void>(asked);
        static_cast<void>(granted_to);   // A node keeps its boot id.
        static_cast<void>(received_at);  // put_context() these two.
        static_cast<void>(before_at);
        static_cast<void>(previous);  // put_received() has these five,
        static_cast<void>(previous_elsewhere);
        static_cast<void>(served);
        static_cast<void>(received);
        static_cast<void>(before);
        static_cast<void>(answered_at);  // put_context() this.
        put_left(started + timing_.abstention(), now);
        put(granted);
        put(ordered);
        put(holds(promise, now) ? promise.epoch : Epoch{});
        put_left(holds(promise, now) ? promise.until : now, now);
        if (has_marks(run_)) {
            put(marks);
        }
        if (run_.bounds.rings > 0) {
            for (const Voter::Timed& absent : absent_since) {
                put(absent.node);
                put(absent.at + timing_.absence < now);
                put_left(absent.at + timing_.absence, now);
            }
            put(std::uint8_t{0});
        }
    }

    void put_holder(const Holder& holder, TimePoint now) {
        const auto& [phase, claimed, seen, dead, number, deadline, next_round_at, claiming_since,
                     lapsed_at, granted_at, renewed, draining_until, asked_until, rounds, before,
                     unknown, elsewhere, by_witness, other, other_until, often, handover] =
            holder.state();
        static_cast<void>(claiming_since);  // No run lasts so long.
        static_cast<void>(lapsed_at);
        static_cast<void>(granted_at);
        static_cast<void>(renewed);
        static_cast<void>(seen);  // put_context() has these two,
        static_cast<void>(dead);
        static_cast<void>(before);      // put_received() these.
        static_cast<void>(by_witness);  // It is read in the event that writes it.
        static_cast<void>(often);       // No run asks so.
        static_cast<void>(unknown);
        static_cast<void>(elsewhere);
        put(static_cast<std::uint8_t>(phase));
        if (run_.bounds.resizes > 0) {
            put(static_cast<std::uint8_t>(holder.timing().lease.count()));
            put_left(asked_until, now);
        }
        if (run_.third != Third::node) {
            put(now < other_until ? other : Epoch{});
            put_left(other_until, now);
        }
        if (phase == lease::Phase::idle) {
            return;
        }
        put(claimed);
        put_left(deadline, now);
        put_left(next_round_at, now);
        if (phase == lease::Phase::draining) {
            put_left(draining_until, now);
        }
        put(handover.has_value());
        if (handover) {
            put(handover->released);
        }
        for (const Holder::OpenRound& round : rounds) {
            if (round.sent_at + round.lease > now) {
                put_left(round.sent_at + round.lease, now);
                put(static_cast<std::uint8_t>(number - round.number));
                put(round.answered);
            }
        }
        put(std::uint8_t{0});
    }

    void put_received(const Voter::State& voter, const Holder::State& holder) {
        put(voter.received.has_value());
        if (voter.received) {
            put(*voter.received);
        }
        put(voter.before);
        put(voter.served);
        if (!voter.served) {  // Otherwise the next grant replaces them by what `before` says.
            put(voter.previous);
            put(voter.previous_elsewhere);
        }
        if (holder.phase != lease::Phase::idle) {
            put(holder.before);
            put(holder.unknown);
            put(holder.elsewhere);
        }
    }

    void put_flying(const Flying& flying) {
        const Node& sender = *world_.nodes[index_of(flying.sender.node)];
        put(static_cast<std::uint8_t>(100 + flying.message.index()));
        put(flying.sender.node);
        put(flying.to);
        if (const auto* round = std::get_if<lease::Round>(&flying.message)) {
            // Refusals of the rounds of an earlier life are not heard.
            put(flying.sender.instance == sender.self.instance);
            put(round->id.epoch);
            put_left(round->sent_at + round->lease, sender.now);
            put_number(round->id);
            put(round->held);
            put(round->ordered);
            put_dead(round->released);
            if (lists_vary()) {
                put(round->voters);
            }
            put_sent(round->marks);
        } else if (const auto* answer = std::get_if<lease::Answer>(&flying.message)) {
            put(answer->id.epoch);
            put_number(answer->id);
            put(answer->handover.has_value());
            put_sent(answer->marks);
            if (reports_margins(run_, world_)) {
                put(answer->before);
            }
        } else if (const auto* release = std::get_if<lease::Release>(&flying.message)) {
            put(release->epoch);
            put(release->served);
            put(release->ordered);
        } else if (const auto* mark = std::get_if<lease::MarkRequest>(&flying.message)) {
            put(mark->victim);
        } else if (const auto* question = std::get_if<lease::Question>(&flying.message)) {
            put(question->id.epoch);
            put(asked_since(sender, *question));
            put_sent(question->marks);
        }
    }
    // How many questions that are open its sender has asked behind this one.
    static std::uint8_t asked_since(const Node& sender, const lease::Question& question) {
        constexpr std::uint8_t kNone = 255;
        if (!is_open(sender, question)) {
            return kNone;
        }
        const std::vector<Engine::Inquiry::Asked>& open = sender.engine.state().inquiry->open;
        return static_cast<std::uint8_t>(std::count_if(
            open.begin(), open.end(),
            [&question](const auto& asked) { return asked.id.number > question.id.number; }));
    }
    void put_sent(const lease::Marks& marks) {
        if (has_marks(run_)) {
            put(marks);
        }
    }
    [[nodiscard]] bool is_alive(const Epoch& epoch) const {
        return std::any_of(world_.nodes.begin(), world_.nodes.end(), [&](const auto& node) {
            const Holder::State& holder = node->engine.holder().state();
            return holder.phase != lease::Phase::idle && holder.claimed == epoch;
        });
    }
    // Of a round that its asker has closed the number is never looked at again.
    void put_number(const lease::RoundId& id) {
        const Node& asker = *world_.nodes[index_of(id.epoch.node)];
        const Holder::State& holder = asker.engine.holder().state();
        const bool open = is_open(asker, id);
        put(static_cast<std::uint8_t>(open                  ? holder.number - id.number
                                      : asks_for(asker, id) ? 254
                                                            : 255));
    }

    const Run& run_;
    const lease::Timing timing_;  // Except L, each node's is the same.
    const World& world_;
    Buffer out_;
};

}  // namespace

Print key_of(const Run& run, const World& world) {
    return Key(run, world).write();
}

}  // namespace vpnha::checker
