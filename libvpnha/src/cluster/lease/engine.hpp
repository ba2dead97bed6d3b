// SPDX-License-Identifier: GPL-2.0-or-later
// The lease of one gateway on one node: its rounds (holder.hpp), its vote (voter.hpp), and their
// connection. Pure: events and time in, effects out. The time of each event is CLOCK_BOOTTIME when
// it is handed in, not when it was received.
//
// The rules of the protocol. Further rules are in holder.hpp, voter.hpp and voters.hpp.
//
//   1  A voter answers a round if no rule forbids it.                           voter.hpp
//   2  An answer is a promise. Grants and claims are on disk before they are sent: every event's
//      effects begin with SaveDurable when the state to save has changed.
//   3  A majority's answers to one round make the deadline.                     holder.hpp
//   4  A vpnhad abstains after its start.                                       voter.hpp
//   5  Release: the gate is shut first, then it is sent, at every end of an epoch. It states
//      whether the end was ordered; only an order keeps standbys from standing in. It also states
//      whether the gate may have been open in that epoch: nobody was granted a claim that is given
//      up. A lapsed holder that Pacemaker still has promoted claims a new epoch by itself, and
//      declines it when another node may have served.
//   6  A fence mark is a grant to nobody. "off" is done when it has run out on a majority. Every
//      answer carries the voter's marks, and so does every message with a list of voters. The
//      receiver joins these marks to its own before it answers, and before it counts the answer. A
//      node that receives a mark of its present boot is fenced.                voters.hpp
//   7  ρ and δ. A node whose clock breaks ρ is granted nothing.                  timing.hpp
//   8  Lists of voters differ by one node. A node takes over a newer list together with the marks
//      of its sender, so a mark outlives the list whose majority made it.       voters.hpp
//   9  Handover: a demoted holder is draining, and still serves. It answers
//      the first claim with a grant, its Release and its last checkpoint, in
//      that order on disk, in the gate, and on the wire. The claimant votes for
//      itself then, and passes the Release on. Without a claim it releases. It
//      hands over only while its own vote is a promise to itself: expired state
//      ends before every event, and the claim is judged after its own Release.
//  10  Without quorum nothing is claimed; an existing lease continues. After a lapse the node
//      claims anew without quorum, if there are three voters or more. It gives that claim up when
//      it receives a higher epoch than its own: another node may have served. It does not claim so
//      after a lease that ended in another way, after an order, or after a start. A voter stops
//      answering the rounds of a node that its own quorate group has missed for 5 s
//      (Timing::absence). A voter without quorum misses no node. It refuses a question at once
//      (14).
//  11  Counter margins.                                                         holder.hpp
//  12  Of two voters both must answer. A node continues alone only after the other's death was
//      confirmed, until the other sends again. Alone it changes the voters to itself only.
//  13  A node without a memory (a new one, or one whose disk was lost) takes over a list that
//      has a version, with its epochs and marks, under one condition. The node itself and the nodes
//      whose memory it does not know are no majority of that list. So it knows all promises of its
//      earlier lives. It asks for the others' memory when its
//      abstention is over: rounds with its old votes are decided by then.   engine_memory.cpp
//  14  A node that nobody has promoted stands in for a holder. It asks all voters whether they
//      would answer a claim; their answer promises nothing. It claims when a majority would, its
//      own vote among them, by two questions in a row, 25 ms apart. An answer counts for 150 ms,
//      and other questions are asked meanwhile: the voters may be so far away. So a holder with a
//      lease never loses a vote by it. A turn of the loop that is 20 ms late starts over. A voter
//      also refuses a node outside its own quorate group, a node with fewer records, and any after
//      an ordered end of the newest epoch. A node that stands in yields: like a draining one, it
//      hands over to a claim that Pacemaker has ordered. The claim of a node whose lease has lapsed
//      is no order: it may not know who serves now. Of two claims that outbid each other the lower
//      one is taken back, unless Pacemaker ordered it.
//                                                                      engine_stand_in.cpp
//  15  A claim states for how long it has been in vain. After a second (0.2 s if the claimant's
//      own lease had lapsed) it does not block a node that asks. Its own node answers the question
//      as if it did not claim, and the other voters ignore the claim for 1.2 s, in which their
//      promises end. Then it has a second again.
//
//  16  A witness is a voter that is no node (kWitness). Beside two nodes it makes a third vote.
//      It never claims, is in no ring, is never fenced, and is in no list without a version. It may
//      have been stolen, so its messages count as its own vote only. A node accepts from it answers
//      without a handover, refusals, opinions, mark answers, memories and recalls. It learns no
//      list, mark or order from it. A witness fences nobody, releases nothing, and does not end
//      being alone (12). Epochs that it names count up to 1 024 above those that nodes have named.
//      So one node sends while it holds and the other receives its rounds. If a promise's time
//      passes without them, a witness that lies to both makes two that send.
//  17  The voter with the newest round of the epoch before may have been the witness. A
//      claimant that needed its vote uses its own memory: the holder may have sent from the last
//      round that the claimant received until now. If another node has been granted an epoch since,
//      the margin is the largest.
//  18  A witness saves two epochs ahead of its grants.                          witness.hpp
//  19  An opinion of a witness states how long ago it answered another node that held the
//      lease. A node whose last round from that holder is L or more older was cut off, and may miss
//      records of the time since. It does not stand in within 5 s of that answer (Timing::absence).
//      Nor does an opinion count while a round of the other node binds the node that asks.
//
//  20  A majority that needs the vote of a witness counts with the node's own vote only. For a
//      claim it does not count within a promise's time after a round of the other node that holds,
//      or that this node refused for another reason than a promise. It counts for no claim below an
//      epoch that the claimant has received. So a node that abstains, or has no memory, answers no
//      round, but is bound by it. If both claim before either has received a round of the other, a
//      witness that lies to both makes two holders. The lower one ends with the first renewal of
//      the other that it receives; a node that was granted it by a witness's vote sends that at
//      once.
//  21  A marked life can mark nobody: its request is answered, and has no other effect. If
//      there is a witness, a node asks it first. The node marks the victim itself, and sends the
//      victim the request, when the witness has marked it. So of two nodes that want each other
//      marked at most one succeeds. A node's own mark on the winner would end both when they meet.
//
//   phase \ event | promote  | demote   | release | majority | lapse    | newer    | quorum | fence
//                 |          |          |         |          |          | claim    | lost   |
//                 |          |          |         |          |          |          |        |
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
//   own promise holds. One that yields hands over, as if it were draining. (3) idle; no further
//   answer to that claim before its counters are read. (4) a node that stands in is idle first when
//   its vote can then answer the higher claim. A claimant that Pacemaker has ordered and whose
//   claim is in vain (15) frees its vote likewise, stays a claimant, and asks again after a
//   promise's time. Every other claimant sends a round in each renewal interval. When a refusal, or
//   its own voter, names a higher grant, the next round claims an epoch above it. (5) a claim after
//   a lapse continues (10).
//
// Fenced lasts for the rest of this boot. Invariants, proven by tests/checker: no two nodes have a
// deadline ahead, except within L of a thaw on the thawed node's own clock. No epoch is valid after
// a higher one was, with the same exception. A fenced node has no deadline ahead. The counter
// margin covers the numbers that were sent.
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
    // As configured: the nodes that a node without a memory asks, and its first list.
    std::vector<NodeId> voters;
};
// 16: without a witness, except in the witness's own engine.
[[nodiscard]] std::vector<NodeId> first_voters(const Setup& setup, std::vector<NodeId> configured);

enum class Confirmed : std::uint8_t { by_device, by_operator };

// The claims to which a holder hands over though it is not demoted.
enum class Yields : std::uint8_t { no, to_ordered, to_anybody };

class Engine {
  public:
    // The node to which this node handed over, until its counters are read, and for repetitions.
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
        struct Notified {
            NodeId node;
            Memory memory;
            friend bool operator==(const Notified&, const Notified&) = default;
        };
        TimePoint ask_at{};
        std::vector<Notified> notified;  // In answer to this life; the newest of each node.
        std::vector<NodeId> spared;      // Not waited for, by an administrator's order.
        std::vector<NodeId> reported;    // As Awaits.
        bool asked = false;
        friend bool operator==(const Recollection&, const Recollection&) = default;
    };
    // 14: while this node asks.
    struct Inquiry {
        struct Asked {
            RoundId id;
            TimePoint at{};
            bool in_row = false;  // `ask` after the last one, and the loop was on time.
            bool agreed = false;  // A majority agrees.
            std::vector<NodeId> willing;
            friend bool operator==(const Asked&, const Asked&) = default;
        };
        std::vector<Asked> open;  // The newest last; opinions on older ones are too late.
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
        std::vector<Life> lives;  // The newest life of each voter.
        std::optional<Inquiry> inquiry;
        std::uint64_t questions = 0;  // The number of the last one.
        Position position;            // That of this node's replica.
        Epoch named;                  // The highest that a node reported as claimed or granted.
        bool saves = true;            // The disk accepts saves.
        Epoch granted_on_disk;        // While it does not.
        // Lists that this holder began and did not save. Each has used up a version.
        std::uint32_t changes_taken_back = 0;
        Yields yields = Yields::no;
        std::optional<NodeId> yields_not_to;
        friend bool operator==(const State&, const State&) = default;
    };

    // `durable`: the last saved state; nullopt: there never was one.
    Engine(const Setup& setup, const std::optional<Durable>& durable, TimePoint now);

    // By Pacemaker.
    [[nodiscard]] Effects promote(TimePoint now);
    // The same without Pacemaker: the holder yields to any claim.
    [[nodiscard]] Effects claim(TimePoint now);
    // 14: asks, and claims as soon as a majority would grant it, until stand_back() or one of the
    // other five.
    [[nodiscard]] Effects stand_in(TimePoint now);
    // 14: asks that voter alone. No claim follows; the number of the question is State::questions.
    [[nodiscard]] Effects ask(NodeId voter);
    // Records show that it has been claimed: later claims of this node have a higher number. Two
    // epochs with one number could not be counted.
    void note_claimed(const Epoch& epoch);
    // Asks no more; a claim continues.
    void stand_back() { state_.inquiry.reset(); }
    // 14: until it is promoted, demoted or released. `not_to`: its claims are refused.
    void yield(Yields to, std::optional<NodeId> not_to);
    // The position of this node's replica in the gateway's records: it goes with questions, and
    // nodes with fewer records are refused.
    void set_position(const Position& position) { state_.position = position; }
    // Another L: for rounds and questions from now on. Promises of voters stay.
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
    // Whether the last save is on the disk, and the grant that is on it: a voter that cannot save
    // grants nothing more.
    void set_saves(bool saves, const Epoch& granted) {
        state_.saves = saves;
        state_.granted_on_disk = granted;
    }
    // Draining, with a lease; a pending claim is given up.
    [[nodiscard]] Effects demote(TimePoint now);
    // At once, without a successor. `ordered`: by Pacemaker or an administrator.
    [[nodiscard]] Effects release(bool ordered, TimePoint now);
    // The same for an epoch in which the gate was never open.
    [[nodiscard]] Effects decline(TimePoint now);
    // Authentic and not replayed (datagram.hpp, replay_guard.hpp).
    [[nodiscard]] Effects on_message(const Sender& sender, const Message& message, TimePoint now);
    // The answer to ReadCounters: a checkpoint of handing_over()'s time or later is complete to the
    // last packet; without one it is the newest that standbys have confirmed.
    [[nodiscard]] Effects on_counters(const Checkpoint& checkpoint, TimePoint now);
    // While a successor waits for that answer: this node sent until then at most.
    [[nodiscard]] std::optional<TimePoint> handing_over() const;
    // The group's members, and whether they are a majority of the cluster.
    [[nodiscard]] Effects on_members(const std::set<NodeId>& present, bool quorate, TimePoint now);
    // next_deadline() has come; harmless when it has not.
    [[nodiscard]] Effects on_time(TimePoint now);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;
    // The last SaveDurable is not on the disk, and no later effect was carried out: `durable` is on
    // it. The next event saves it again. An epoch that was not saved, or whose grant is
    // `unnotified`, is only claimed. A change of the voters that a holder has begun or ended is
    // taken back: it continues with the list on the disk. This voter's promises in memory stay:
    // that costs it votes only.
    void on_not_saved(const std::optional<Durable>& durable, bool unnotified, TimePoint now);
    // To be sent with every round from now on: standbys have confirmed it; {}: it is unknown how
    // far the counters have run.
    void set_checkpoint(const Checkpoint& checkpoint) { state_.checkpoint = checkpoint; }

    // Holding, with no other change under way: begins the change to `nodes`.
    [[nodiscard]] Result<Effects> change_voters(const std::vector<NodeId>& nodes, TimePoint now);
    // Asks all voters to mark that life of a node, a witness first; repeated by the caller until
    // RunOut.
    [[nodiscard]] Result<Effects> fence(NodeId victim, const BootId& boot, TimePoint now);
    // 13: that node remembers nothing, or is off for good. Ends the wait for it in this life.
    [[nodiscard]] Result<Effects> vote_without(NodeId node, TimePoint now);
    // The configuration has changed: used by a node that remembers nothing and has not voted.
    [[nodiscard]] Effects configure(const std::vector<NodeId>& nodes, TimePoint now);
    // 12: power is off. A device's report counts only for a node that has sent since this start,
    // and only on a node of the configuration: others may have a newer list. It is unknown which
    // life is off: a node that has booted since ends being alone with its first message.
    [[nodiscard]] Result<Effects> confirm_dead(NodeId victim, Confirmed by, TimePoint now);

    [[nodiscard]] const Voter& voter() const { return voter_; }
    [[nodiscard]] const Holder& holder() const { return holder_; }
    [[nodiscard]] const State& state() const { return state_; }
    [[nodiscard]] std::optional<BootId> newest_life_of(NodeId node) const;
    // 13. False: it votes on nothing except a first grant.
    [[nodiscard]] bool remembers() const { return state_.voters.newest().has_version(); }
    // Nodes whose memory this node still needs; none when it remembers itself.
    [[nodiscard]] std::vector<NodeId> awaited() const;
    // That node has answered in this life, even if it remembers nothing, either.
    [[nodiscard]] bool reported_by(NodeId node) const;
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
    // Further reasons to refuse a question that do not apply to a claim.
    [[nodiscard]] Verdict besides_promise(NodeId asker, const Question& question) const;
    void on_opinion(NodeId from, const Opinion& opinion, Effects& effects, TimePoint now);
    [[nodiscard]] Verdict opinion_on(const Sender& asker, const RoundId& id, const Voters& voters,
                                     TimePoint now) const;
    // `id`: of the newest question.
    [[nodiscard]] bool may_ask(const RoundId& id, TimePoint now) const;
    [[nodiscard]] Inquiry begun_inquiry(TimePoint now) const;
    [[nodiscard]] RoundId next_question();
    // Sends the questions that are due.
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
    // A claim that is not ordered, or is in vain, gives way to a higher one that can be answered:
    // two that outbid each other would both be in vain.
    void give_way(const Sender& sender, const Round& round, Effects& effects, TimePoint now);
    // False when the claim is judged like any other.
    bool hand_over(const Sender& sender, const Round& round, Effects& effects, TimePoint now);

    // Ends expired state; before every event.
    void lapse(Effects& effects, TimePoint now);
    void end_lease(Effects& effects, TimePoint now);
    // Sends claims and questions that are due.
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
    void report_memory(const Sender& asker, Effects& effects) const;
    void on_memory(NodeId from, const Memory& memory, Effects& effects, TimePoint now);
    // The newest received list with a version; null: none.
    [[nodiscard]] const Voters* newest_reported() const;
    // Takes it over as soon as that is safe.
    void recall(Effects& effects, TimePoint now);
    // Not so high that a hostile member must have made it up; far stricter for a witness.
    [[nodiscard]] bool is_plausible(NodeId from, const Epoch& epoch) const;
    // A claimed or granted epoch; no effect if it is not plausible.
    void note_granted(NodeId from, const Epoch& epoch);
    // Of the epoch before the one that was just granted.
    [[nodiscard]] Margin margin(TimePoint now) const;
    void note_life(const Sender& sender);
    void become_fenced(Effects& effects);
    // The sent message carries this node's marks.
    void send(NodeId to, Message message, Effects& effects) const;
    void send_to_others(const Message& message, Effects& effects) const;
    // The lists whose majorities count now.
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
