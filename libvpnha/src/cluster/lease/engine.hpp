// SPDX-License-Identifier: GPL-2.0-or-later
// The lease of one gateway, seen from one node: its rounds (holder.hpp), its vote (voter.hpp), and
// what joins them. Pure: events and time in, effects out. The time of each event is CLOCK_BOOTTIME
// when it is handed in, not when it was received.
//
// The protocol, by its numbers; what is not here is in holder.hpp, voter.hpp and voters.hpp.
//
//   1  A voter answers a round when nothing speaks against it.                  voter.hpp
//   2  An answer is a promise. Grants and claims are on disk before they are said: every event's
//      effects begin with SaveDurable when what it saves has changed.
//   3  A majority's answers to one round make the deadline.                     holder.hpp
//   4  A vpnhad abstains after its start.                                       voter.hpp
//   5  Release: the gate is shut first, then it is sent, at every end of an epoch. It says whether
//      somebody ordered it; only an order keeps standbys from standing in. It says also whether the
//      gate may have been open in that epoch: a claim that is given up was granted to nobody. A
//      lapsed holder that Pacemaker still has promoted claims a new epoch by itself, and declines
//      it when another node may have served.
//   6  A fence mark is a grant to nobody. "off" is done when it has run out on a majority. Every
//      answer carries the voter's marks, and so does every message with a list of voters. The
//      receiver joins these marks to its own before it answers, and before it counts the answer. A
//      node that receives a mark of its present boot is fenced.                voters.hpp
//   7  ρ and δ. Who finds that a node's clock breaks ρ grants it nothing.        timing.hpp
//   8  Lists of voters differ by one node. A node takes over a newer list together with the marks
//      of its sender, so a mark outlives the list whose majority made it.       voters.hpp
//   9  Handover: a demoted holder is draining, and serves on. It answers the first claim with a
//   grant,
//      its Release and its last checkpoint, in that order on disk, in the gate, and on the wire;
//      the claimant votes for itself then, and passes the Release on. Without a claim it releases.
//      It hands over only while its own vote is a promise to itself: what time has ended ends
//      before every event, and the claim is judged after its own Release.
//  10  Without quorum nothing is claimed; an existing lease goes on. After a lapse
//      the node claims anew without quorum, of three voters or more. It gives that claim up when it
//      receives a higher epoch than its own: another node may have served. It does not claim so
//      after a lease that ended in another way, after an order, or after a start. A voter stops
//      answering the rounds of a node that its own quorate group has lacked for 5 s
//      (Timing::absence). A voter without quorum lacks nobody. To a question it says no at once
//      (14).
//  11  Counter margins.                                                         holder.hpp
//  12  Of two voters both must answer. Alone a node goes on only after the other's death was
//      confirmed, until that one is heard again. Alone it changes the voters to itself only.
//  13  A node without a memory (a new one, or one whose disk was lost) takes over a list that has a
//      version, with the epochs and marks that go with it, only when those that have not told it
//      what they remember are, with this node itself, no majority of that list: nothing that it
//      has promised in a life before can then be unknown to it. It asks when its abstention is
//      over: what is counted with its old votes was decided by then.        engine_memory.cpp
//  14  A node that nobody has promoted stands in for a holder. It asks all voters whether they
//      would answer a claim; their answer promises nothing. It claims when a majority would, its
//      own vote among them, by two questions in a row, 25 ms apart. An answer counts for 150 ms,
//      and other questions are asked meanwhile: the voters may be so far away. So a holder that may
//      speak never loses a vote by it. A turn of the loop that is 20 ms late starts over. A voter
//      says no as well to who is not in its own quorate group, to who has less of the records than
//      it has itself, and when the newest epoch ended by order. Who stands in yields: it hands over
//      to a claim that Pacemaker has ordered, like a draining one. The claim of a node whose lease
//      has lapsed is no order: it may not know who serves now. Of two claims that outbid each other
//      the lower one is taken back, unless Pacemaker has ordered it.
//                                                                      engine_stand_in.cpp
//  15  A claim tells for how long it has been in vain. After a second (0.2 s where the claimant's
//      own lease had lapsed) it is no obstacle to whoever asks: its own node answers the question
//      as if it did not claim, and the other voters answer the claim no more for 1.2 s, in which
//      their promises end. Then it has a second again.
//
//  16  A witness is a voter that is no node (kWitness). Beside two nodes it makes a third vote. It
//      never claims, is in no ring, is never fenced, and is in no list without a version. It may
//      have been stolen: what it says is its own vote, and no more. A node takes from it answers
//      without a handover, refusals, opinions, mark answers, memories and recalls. No list and no
//      mark is learned from it. Nobody is fenced or told of an order by it, nothing is released,
//      and its word does not end being alone (12). Epochs that it names count up to 1 024 above
//      what nodes have named. So one speaks while it holds and the other receives its rounds. Where
//      a promise's time passes without them, a witness that lies to both makes two that speak.
//  17  The voter that heard the newest round of the epoch before may have been the witness. A
//      claimant that needed its vote goes by its own memory: since it heard that holder's newest
//      round, the holder may have sent until now. Has another node been granted an epoch since, the
//      margin is the largest.
//  18  A witness saves two epochs ahead of its grants.                          witness.hpp
//  19  An opinion of a witness says how long ago it answered another node that held the lease. A
//      node that has heard that holder L or longer before was cut off, and may lack what the holder
//      has served since. It does not stand in within 5 s of that answer (Timing::absence). Nor does
//      an opinion count while a round of the other node binds the node that asks.
//
//  20  A majority that needs the vote of a witness counts with the node's own vote only, and for a
//      claim not within a promise's time after a round of the other node that holds, or that this
//      node refused for another reason than a promise. It counts for no claim below an epoch that
//      the claimant has received. So a node that abstains, or has no memory,
//      answers no round, and is bound by it all the same. Where both claim before either has
//      received a round of the other, a witness that lies to both makes two holders. The lower one
//      ends with the first renewal of the other that it receives; who was granted it by a witness's
//      vote sends that at once.
//  21  A marked life has nobody marked: its request is answered, and does nothing else. Where there
//      is a witness, a node asks it first. The node marks the victim itself, and sends the victim
//      the request, when the witness has marked it. So of two nodes that want each other marked one
//      gets through at most. A node's own mark on the winner would end both when they meet again.
//
//   phase \ event | promote  | demote   | release | majority | lapse    | newer    | quorum |
//   fenced
//                 |          |          |         |          |          | claim    | lost   |
//   --------------+----------+----------+---------+----------+----------+----------+--------+------
//   idle          | claiming | -        | -       | ignored  | XXX      | judged   | -      | idle
//                 | (1)      |          |         |          |          |          |        |
//   claiming      | -        | idle     | idle    | holding  | XXX      | judged   | idle   | idle
//                 |          |          |         |          |          | (4)      | (5)    |
//   holding       | -        | draining | idle    | holding  | claiming | judged   | -      | idle
//                 |          |          |         |          | (1)      | (2)      |        |
//   draining      | holding  | -        | idle    | draining | idle     | handed   | -      | idle
//                 |          |          |         |          |          | over (3) |        |
//
//   (1) with quorum, or after a lapse (10); otherwise as soon as there is quorum. (2) refused: its
//   own promise holds. One that yields hands over, as if it were draining. (3) idle; nothing more
//   is answered to that claim before its counters are read. (4) who stands in is idle first when
//   its vote can then answer the higher claim. A claimant that Pacemaker has ordered and whose
//   claim is in vain (15) frees its vote likewise, stays a claimant, and asks again after a
//   promise's time. Every other claimant sends a round in each renewal interval. When a refusal, or
//   its own voter, names a higher grant, the next round claims an epoch above it. (5) a claim after
//   a lapse goes on (10).
//
// Fenced is for the rest of this boot. Invariants, proven by tests/checker: no two nodes have a
// deadline ahead, but within L of a thaw on the thawed node's own clock; no epoch is valid after a
// higher one was, with the same exception; a fenced node has no deadline ahead; the counter margin
// covers what was sent.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "cluster/lease/effects.hpp"

namespace vpnha::lease {

struct Setup {
    Sender self;
    Timing timing;
    // As configured: whom a node without a memory asks, and its first list.
    std::vector<NodeId> voters;
};
// 16: without a witness, except in the witness's own engine.
[[nodiscard]] std::vector<NodeId> first_voters(const Setup& setup, std::vector<NodeId> configured);

enum class Confirmed : std::uint8_t { by_device, by_operator };

// To whose claim a holder hands over though it is not demoted.
enum class Yields : std::uint8_t { no, to_ordered, to_anybody };

class Engine {
  public:
    // To whom this node handed over, until its counters are read, and for repetitions.
    struct Handing {
        Epoch claim;
        std::optional<RoundId> asked;  // While the counters are read.
        Handover handover;
        friend bool operator==(const Handing&, const Handing&) = default;
    };
    struct Fencing {
        NodeId victim;
        BootId boot;
        std::vector<NodeId> run_out;
        bool done = false;
        bool agreed = false;   // 21: this node may mark it.
        bool refused = false;  // 21: the witness has this node's own life marked.
        friend bool operator==(const Fencing&, const Fencing&) = default;
    };
    struct Life {
        NodeId node;
        BootId boot;
        friend bool operator==(const Life&, const Life&) = default;
    };
    // 13: while the list of voters has no version.
    struct Recollection {
        struct Told {
            NodeId node;
            Memory memory;
            friend bool operator==(const Told&, const Told&) = default;
        };
        TimePoint ask_at{};
        std::vector<Told> told;        // In answer to this life; the newest of each node.
        std::vector<NodeId> spared;    // Not waited for: an administrator's word.
        std::vector<NodeId> reported;  // As Awaits.
        bool asked = false;
        friend bool operator==(const Recollection&, const Recollection&) = default;
    };
    // 14: while this node asks.
    struct Inquiry {
        struct Asked {
            RoundId id;
            TimePoint at{};
            bool in_row = false;  // `ask` behind the one before, and the loop was on time.
            bool agreed = false;  // A majority is.
            std::vector<NodeId> willing;
            friend bool operator==(const Asked&, const Asked&) = default;
        };
        std::vector<Asked> open;  // The newest last; opinions on older ones come too late.
        TimePoint next_at{};
        Duration pause{};  // Before next_at.
        // Until then a question may have been too early for a far voter: the pauses stay short.
        TimePoint often_until{};
        [[nodiscard]] Asked* find(const RoundId& id);
        [[nodiscard]] bool agreed_twice() const;  // In a row.
        friend bool operator==(const Inquiry&, const Inquiry&) = default;
    };
    struct State {
        Voters voters;
        Recollection recollection;
        // Nodes that have another list of the same version: neither list is newer.
        std::vector<NodeId> differing;
        Checkpoint checkpoint;
        bool wanted = false;   // Pacemaker has it promoted, or it stands in.
        bool ordered = false;  // Pacemaker has.
        bool quorate = false;
        bool lapsed = false;  // Its last lease has, and it is wanted since. Not while it holds one.
        bool fenced = false;
        bool alone = false;  // 12: the other one's death was confirmed.
        std::optional<Handing> handing;
        std::optional<Fencing> fencing;
        std::vector<Life> lives;  // The newest of each voter that was heard.
        std::optional<Inquiry> inquiry;
        std::uint64_t questions = 0;  // The number of the last one.
        Position position;            // What this node's replica has.
        Epoch named;                  // The highest that a node has said was claimed or granted.
        bool saves = true;            // The disk takes what is to be saved.
        Epoch granted_on_disk;        // While it does not.
        // Lists that this holder began and did not save. Each has used up a version.
        std::uint32_t changes_taken_back = 0;
        Yields yields = Yields::no;
        std::optional<NodeId> yields_not_to;
        friend bool operator==(const State&, const State&) = default;
    };

    // `durable`: what was saved last; nullopt: nothing ever was.
    Engine(const Setup& setup, const std::optional<Durable>& durable, TimePoint now);

    // By Pacemaker.
    [[nodiscard]] Effects promote(TimePoint now);
    // The same without its word: the holder yields to anybody.
    [[nodiscard]] Effects claim(TimePoint now);
    // 14: asks, and claims as soon as a majority would grant it, until stand_back() or one of the
    // other five.
    [[nodiscard]] Effects stand_in(TimePoint now);
    // 14: asks that voter alone. No claim follows; the number of the question is State::questions.
    [[nodiscard]] Effects ask(NodeId voter);
    // Somebody has claimed it, as records say: what this node claims later has a higher number. Of
    // two epochs with one number nobody could tell how many there were.
    void note_claimed(const Epoch& epoch);
    // Asks no more; a claim goes on.
    void stand_back() { state_.inquiry.reset(); }
    // 14: until it is promoted, demoted or released. `not_to`: its claims are refused.
    void yield(Yields to, std::optional<NodeId> not_to);
    // What this node's replica has of the gateway's records now: goes with questions, and who has
    // less is told no.
    void set_position(const Position& position) { state_.position = position; }
    // Another L: for rounds and questions from now on. What voters promised stays.
    void resize(Duration lease) {
        setup_.timing = setup_.timing.sized(lease);
        holder_.resize(setup_.timing);
    }
    // 16: a node's vote is missing, and a witness's may be far away.
    void ask_often(bool often) { holder_.ask_often(often); }
    // 7: see Voter::on_astray().
    void set_astray(std::vector<NodeId> nodes, bool own) {
        voter_.on_astray(std::move(nodes), own);
    }
    // Whether the disk has taken what was saved last, and the grant that is on it: a voter that
    // cannot save grants nothing more.
    void set_saves(bool saves, const Epoch& granted) {
        state_.saves = saves;
        state_.granted_on_disk = granted;
    }
    // Draining, with a lease; a claim under way is given up.
    [[nodiscard]] Effects demote(TimePoint now);
    // At once, without a successor. `ordered`: by somebody who wants it so.
    [[nodiscard]] Effects release(bool ordered, TimePoint now);
    // The same, of an epoch in which the gate was never open.
    [[nodiscard]] Effects decline(TimePoint now);
    // Authentic and not replayed (datagram.hpp, replay_guard.hpp).
    [[nodiscard]] Effects on_message(const Sender& sender, const Message& message, TimePoint now);
    // The answer to ReadCounters: a checkpoint of handing_over()'s time or later has them to the
    // last packet; without one it is the newest that standbys have confirmed.
    [[nodiscard]] Effects on_counters(const Checkpoint& checkpoint, TimePoint now);
    // While a successor waits for that answer: this node spoke until then at most.
    [[nodiscard]] std::optional<TimePoint> handing_over() const;
    // The group's members, and whether they are a majority of the cluster.
    [[nodiscard]] Effects on_members(const std::set<NodeId>& present, bool quorate, TimePoint now);
    // next_deadline() has come; harmless when it has not.
    [[nodiscard]] Effects on_time(TimePoint now);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;
    // What SaveDurable said last is not on the disk, and nothing behind it was said: `durable` is
    // what is there. The next event saves it again; an epoch that was not saved, or whose grant is
    // `untold`, is claimed, and no more. A change of the voters that a holder has begun or ended is
    // taken back: it goes on by the list on the disk. What this voter promised in memory stays:
    // that costs it votes only.
    void on_not_saved(const std::optional<Durable>& durable, bool untold, TimePoint now);
    // To be said with every round from now on: standbys have confirmed it; {}: nobody knows how far
    // the counters have run.
    void set_checkpoint(const Checkpoint& checkpoint) { state_.checkpoint = checkpoint; }

    // Holding, with no other change under way: begins the change to `nodes`.
    [[nodiscard]] Result<Effects> change_voters(const std::vector<NodeId>& nodes, TimePoint now);
    // Asks all voters to mark that life of a node, a witness first; repeated by the caller until
    // RunOut.
    [[nodiscard]] Result<Effects> fence(NodeId victim, const BootId& boot, TimePoint now);
    // 13: that node remembers nothing, or is off for good. Ends the wait for it in this life.
    [[nodiscard]] Result<Effects> vote_without(NodeId node, TimePoint now);
    // The configuration has changed: of use to a node that remembers nothing and has not voted.
    [[nodiscard]] Effects configure(const std::vector<NodeId>& nodes, TimePoint now);
    // 12: power is off. By a device: only of a node that was heard since this start, and only at a
    // node of the configuration: others may have a newer list. Which life of it is off nobody can
    // say; one that has booted since ends being alone with its first word.
    [[nodiscard]] Result<Effects> confirm_dead(NodeId victim, Confirmed by, TimePoint now);

    [[nodiscard]] const Voter& voter() const { return voter_; }
    [[nodiscard]] const Holder& holder() const { return holder_; }
    [[nodiscard]] const State& state() const { return state_; }
    [[nodiscard]] std::optional<BootId> newest_life_of(NodeId node) const;
    // 13. False: it votes on nothing but a first grant.
    [[nodiscard]] bool remembers() const { return state_.voters.newest().has_version(); }
    // Who has yet to tell this node what it remembers; none when it remembers itself.
    [[nodiscard]] std::vector<NodeId> awaited() const;
    // That node has answered in this life, if only that it remembers nothing, either.
    [[nodiscard]] bool told_by(NodeId node) const;
    friend bool operator==(const Engine& a, const Engine& b) {
        return a.voter_ == b.voter_ && a.holder_ == b.holder_ && a.state_ == b.state_;
    }

  private:
    void on_round(const Sender& sender, const Round& round, Effects& effects, TimePoint now);
    void on_answer(NodeId from, const Answer& answer, Effects& effects, TimePoint now);
    void on_refusal(NodeId from, const Refusal& refusal, Effects& effects, TimePoint now);
    void on_release(NodeId from, const Release& release);
    void on_question(const Sender& sender, const Question& question, Effects& effects,
                     TimePoint now);
    // What else speaks against a question than what speaks against a claim.
    [[nodiscard]] Verdict besides_promise(NodeId asker, const Question& question) const;
    void on_opinion(NodeId from, const Opinion& opinion, Effects& effects, TimePoint now);
    [[nodiscard]] Verdict opinion_on(const Sender& asker, const RoundId& id, const Voters& voters,
                                     TimePoint now) const;
    // `id`: of the newest question.
    [[nodiscard]] bool may_ask(const RoundId& id, TimePoint now) const;
    [[nodiscard]] Inquiry begun_inquiry(TimePoint now) const;
    [[nodiscard]] RoundId next_question();
    // Asks what is due.
    void inquire(Effects& effects, TimePoint now);
    void note_willing(Inquiry::Asked& asked, NodeId voter, Effects& effects, TimePoint now);
    // 19
    [[nodiscard]] bool was_cut_off(NodeId from, const Opinion& opinion, TimePoint now) const;
    void end_standing_in();
    void mark_victim(Effects& effects, TimePoint now);
    void on_mark_request(const Sender& sender, const MarkRequest& request, Effects& effects,
                         TimePoint now);
    void on_mark_answer(NodeId from, const MarkAnswer& answer, Effects& effects, TimePoint now);
    void note_word_of_witness(const MarkAnswer& answer, Effects& effects, TimePoint now);
    // 20
    void note_round(const Round& round, Verdict verdict, TimePoint now);
    // As if this node's own epoch were released.
    [[nodiscard]] Voter voter_without_claim() const;
    [[nodiscard]] bool claims_in_vain(TimePoint now) const;
    // A claim that nobody has ordered, or that is in vain, gives way to a higher one that can be
    // answered: two that outbid each other would both be in vain.
    void give_way(const Sender& sender, const Round& round, Effects& effects, TimePoint now);
    // False when the claim is judged like any other.
    bool hand_over(const Sender& sender, const Round& round, Effects& effects, TimePoint now);

    // Ends what time has ended; before every event.
    void lapse(Effects& effects, TimePoint now);
    void end_lease(Effects& effects, TimePoint now);
    // Claims and asks what is due.
    void act(Effects& effects, TimePoint now);
    void ask(Effects& effects, TimePoint now);
    [[nodiscard]] bool may_claim() const;
    // 10: also without quorum.
    [[nodiscard]] bool may_claim_anew() const;
    void give_up_without_quorum(Effects& effects);
    // This node's own vote; true when it made a majority.
    void vote(const Round& round, Effects& effects, TimePoint now);
    void count(NodeId from, const Answer& answer, Effects& effects, TimePoint now);
    void end(End why, Effects& effects, const Release& how = {});
    // Takes over another node's list of voters if it is the newer one, and that node's marks in any
    // case.
    void learn(NodeId from, const Voters& voters, const Marks& marks, Effects& effects,
               TimePoint now);
    void learn_newer(const Voters& voters, TimePoint now);
    void join_marks(const Marks& marks, Effects& effects);
    void take_over(const Voters& voters, TimePoint now);
    void take_back_change(TimePoint now);
    void note_difference(NodeId from, const Voters& voters);
    void ask_for_memory(Effects& effects, TimePoint now);
    void tell_memory(const Sender& asker, Effects& effects) const;
    void on_memory(NodeId from, const Memory& memory, Effects& effects, TimePoint now);
    // The newest list with a version that was told; null: none.
    [[nodiscard]] const Voters* newest_told() const;
    // Takes it over as soon as that is safe.
    void recall(Effects& effects, TimePoint now);
    // Not so high that a hostile member must have made it up; and of a witness far less high.
    [[nodiscard]] bool is_plausible(NodeId from, const Epoch& epoch) const;
    // That was claimed or granted; nothing if it is not plausible.
    void note_granted(NodeId from, const Epoch& epoch);
    // Of the epoch before the one that was just granted.
    [[nodiscard]] Margin margin(TimePoint now) const;
    void note_life(const Sender& sender);
    void become_fenced(Effects& effects);
    // What is sent carries this node's marks.
    void send(NodeId to, Message message, Effects& effects) const;
    void send_to_others(const Message& message, Effects& effects) const;
    // Whose majority counts now.
    [[nodiscard]] Voters electorate() const;
    // SaveDurable first, when there is something to save.
    [[nodiscard]] Effects saved_first(Effects effects);

    Setup setup_;
    Voter voter_;
    Holder holder_;
    State state_;
    Durable saved_;
};

}  // namespace vpnha::lease
