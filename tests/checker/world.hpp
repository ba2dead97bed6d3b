// SPDX-License-Identifier: GPL-2.0-or-later
// Three to five nodes with the real lease engine, their gates, disks and clocks, and the network
// between them: one state of the exhaustive checker (explore.hpp).
//
// The network is a set of messages that were sent. Whatever is in it may be received by any of its
// receivers at any time, any number of times, or never: loss, duplication, delay and reordering. A
// round leaves it when its sender's clock has passed t + L, because no answer counts from there on.
// Answers are received at once: what a late one could do, a late round does; Run::answers has the
// others.
//
// Time continues in ticks; a node's clock makes `rate` steps in each. Clocks of paused nodes stand.
// A daemon acts when the checker lets it act, which may be never. Its crash loses its memory, not
// its gate.
//
// The third voter may be a witness (engine.hpp, 16): lease::Witness and its file. Or it lies: then
// it has no state, and says anything to any node at any time (lies.hpp).
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "checker/prints.hpp"
#include "cluster/lease/engine.hpp"
#include "cluster/lease/witness.hpp"

namespace vpnha::checker {

inline constexpr int kNodesMax = 5;
// Of claims, where none is counted.
inline constexpr std::uint8_t kUnbounded = std::numeric_limits<std::uint8_t>::max();

// How often each kind of event may happen.
struct Bounds {
    std::uint8_t claims = 0;
    std::uint8_t crashes = 0;
    std::uint8_t breaks = 0;  // Crashes between the effects of one event.
    std::uint8_t pauses = 0;
    std::uint8_t releases = 0;   // At once, without a successor.
    std::uint8_t demotions = 0;  // Draining, with handover.
    std::uint8_t marks = 0;
    std::uint8_t changes = 0;    // Of the list of voters.
    std::uint8_t rings = 0;      // A node's group loses another, or its quorum; or forms anew.
    std::uint8_t deaths = 0;     // Power off for good, and confirmed to the others.
    std::uint8_t losses = 0;     // Of a node's disk, and with it of its vpnhad.
    std::uint8_t inquiries = 0;  // Whether a node that nobody has promoted would be granted it.
    std::uint8_t yields = 0;     // A holder is to hand over to any claim, or to all but one node's.
    std::uint8_t cuts = 0;       // Power off for good; no node is notified.
    std::uint8_t returns = 0;    // Power comes back; no node is notified.
    std::uint8_t resizes = 0;    // A node's lease becomes Run::lease or Run::other_lease.
    friend bool operator==(const Bounds&, const Bounds&) = default;
};

enum class Start : std::uint8_t {
    idle,         // All up for long; nothing was ever granted.
    held,         // Node 1 has just got its lease from node 2.
    stale_pause,  // Node 3 paused with a lease of a high epoch; nodes 1 and 2 just started.
    fenced,       // Node 1, promoted and cut off, was fenced by nodes 2 and 3.
    fresh,        // Node 1 remembers itself as the only voter; 2 and 3 are new.
    all_fresh,    // All are new.
    edited,       // All were; node 1 has just got its lease, and who crashes is configured as a
                  // cluster of its own by then.
};

// What becomes of answers besides being received at once.
enum class Answers : std::uint8_t { at_once, lost, late };

enum class Third : std::uint8_t { node, witness, liar };

struct Run {
    std::string_view name;
    Bounds bounds;
    int lease = 6;  // Steps of a clock; at rate 2 three ticks.
    // That of node 1, where it is another: a new L reaches the nodes one after the other.
    std::optional<int> first_lease{};
    int other_lease = 4;  // At least 4: a renewal each quarter of it (Timing::sized).
    std::array<int, kNodesMax> rates{2, 2, 2, 2, 2};
    int nodes = 3;
    int voters = nodes;     // The first so many nodes.
    int claimants = nodes;  // Likewise: the others are never promoted.
    Start start = Start::idle;
    Answers answers = Answers::at_once;
    Third third = Third::node;
    bool slow_disk = false;    // Of the witness: it writes what is saved later, or never.
    bool prompt = false;       // The nodes receive at once what they send each other.
    std::uint8_t behind = 0;   // Bit i: node i's replica has less than the others'.
    bool late_lapses = false;  // A daemon notices a lapse at its next event, not in the same tick.
    bool stands_in = false;    // Liveness of standing in, too; and who stands in may give up.
    bool margins = false;      // Check counter margins, too; more states.
    bool liveness = true;      // See liveness.hpp; the largest have no time for it.
    bool quick = false;        // Seconds; belongs to the inner loop.
    bool open = false;         // Too large so far: by its name only, not with all of them.
};

struct Node {
    lease::Engine engine;
    lease::Sender self;
    std::optional<lease::Durable> disk;
    TimePoint now{};
    TimePoint gate{};          // The deadline in the kernel.
    Epoch gate_epoch;          // In whose name it was written.
    TimePoint thaw_over{};     // L after the last thaw.
    std::uint8_t present = 0;  // Bit i: node i is in its group; and whether that has quorum.
    bool quorate = true;
    bool paused = false;
    bool dead = false;
    // Of a witness: `engine` is a copy of its own, and `disk` is in its file, which is ahead or
    // not.
    std::optional<lease::Witness> witness{};
    bool ahead = false;
    std::vector<lease::Witness::Save> unsaved{};
    // The highest epoch in which the other one holds, by a round that this one received as a
    // holder.
    Epoch warned{};
    // Of what key.cpp makes of this node alone; nothing since it has changed.
    mutable std::optional<Print> body{};

    // It has no gate and no group; or a liar, which has no state either.
    [[nodiscard]] bool is_witness() const { return lease::is_witness(self.node); }
    [[nodiscard]] std::optional<TimePoint> next_deadline() const {
        return witness ? witness->next_deadline() : engine.next_deadline();
    }
    [[nodiscard]] bool runs() const { return !paused && !dead; }
    [[nodiscard]] bool speaks() const { return runs() && now < gate; }
    [[nodiscard]] bool just_thawed() const { return now < thaw_over; }
};

struct Flying {
    lease::Sender sender;
    std::uint8_t to = 0;  // Bit i: node i.
    lease::Message message;
};

// The last epoch that was served, and what the claim after it was told about it.
struct Served {
    Epoch epoch;
    TimePoint deadline{};
};

// Worlds share what is equal in them: Step copies what it changes.
struct World {
    std::vector<std::shared_ptr<Node>> nodes;
    std::vector<std::shared_ptr<const Flying>> network;
    Bounds left;
    Epoch top;                   // The highest epoch that ever had a deadline ahead.
    std::uint8_t run_out = 0;    // Bit i: node i's fencing was reported done.
    std::uint8_t claimants = 0;  // Bit i: node i has ever claimed; only where nodes are alike.
    bool overlap = false;        // Two deadlines ahead, excused by a thaw, or a liar.
    Served served;
    std::optional<lease::Margin> notified;  // The margin of the newest grant.
    std::string broken;                     // An invariant does not hold.
    bool beyond = false;                    // Over a bound: not a state of this run.
};

[[nodiscard]] lease::Timing timing_of(const Run& run, std::size_t node);
// What a node remembers when nothing was ever granted: a list that has a version.
[[nodiscard]] std::optional<lease::Durable> first_disk(const Run& run, const lease::Setup& setup);
[[nodiscard]] lease::Setup setup_of(const Run& run, const lease::Sender& self);
// That has just started, with what is on its disk.
[[nodiscard]] lease::Engine engine_of(const Run& run, Node& node, TimePoint started);
// What that node's replica has.
[[nodiscard]] lease::Position position_of(const Run& run, std::size_t index);
[[nodiscard]] World first_world(const Run& run);
// A witness, or who lies, is beside two nodes.
inline constexpr std::size_t kThird = lease::kNodesBesideWitness;
// The index of a node in World::nodes.
[[nodiscard]] constexpr std::size_t index_of(NodeId node) {
    return lease::is_witness(node) ? kThird : node.value - 1;
}
[[nodiscard]] constexpr NodeId id_of(const Run& run, std::size_t index) {
    return run.third != Third::node && index == kThird
               ? lease::kWitness
               : NodeId{static_cast<std::uint32_t>(index + 1)};
}

inline constexpr std::uint8_t kAll = (1U << kNodesMax) - 1;
[[nodiscard]] std::set<NodeId> members(std::uint8_t mask);

// Somebody may yet act on it that this epoch is dead: a promise to it holds, or can be made.
[[nodiscard]] bool matters(const World& world, const Epoch& epoch);

// That node asks in the name of this epoch, in the same life.
[[nodiscard]] bool asks_for(const Node& asker, const lease::RoundId& id);
// It counts answers to this round.
[[nodiscard]] bool is_open(const Node& asker, const lease::RoundId& id);

// Its asker waits for opinions on it.
[[nodiscard]] bool is_open(const Node& asker, const lease::Question& question);

// A witness lies to nodes that may not receive what the other one sends: see Step::finish().
[[nodiscard]] bool may_be_two(const Run& run);

// Nodes may be marked.
[[nodiscard]] bool has_marks(const Run& run);

// A claimant may yet be told a counter margin: only then matters what voters have heard.
[[nodiscard]] bool reports_margins(const Run& run, const World& world);

// One node's event and what follows from it at once.
class Step {
  public:
    Step(const Run& run, const World& before) : run_(run), world(before) {}

    // The node that an event of this step changes.
    [[nodiscard]] Node& change(std::size_t index);
    // Of `breaks` effects or more the node crashes behind the first so many.
    void execute(std::size_t index, const lease::Effects& effects, Answers answers,
                 std::size_t breaks = kNever);
    void deliver(std::size_t to, const Flying& flying, Answers answers,
                 std::size_t breaks = kNever);
    // Its time has come.
    void act(std::size_t index);
    void tick();
    void restart(std::size_t index, bool keep_disk = true);
    void cut_power(std::size_t index);
    // Of a witness: its disk has what it saved first; its daemon ends cleanly, and starts.
    void write(std::size_t index);
    void end_cleanly(std::size_t index);
    // Checks the invariants; call once, at the end.
    void finish();
    [[nodiscard]] bool answered() const { return answered_; }
    [[nodiscard]] bool broke() const { return broke_; }

  private:
    static constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

    void send(std::size_t from, const lease::Send& send, Answers answers);
    [[nodiscard]] lease::Effects effects_of(Node& witness, lease::Witness::Orders&& orders) const;
    void receive_promptly();
    // Of what the engine of node `to` made of a message; `before`: what it was.
    void check_inquiry(std::size_t to, const lease::Engine& before);
    void check_question(std::size_t to, const lease::Engine& before, const Flying& asked,
                        const lease::Effects& effects);
    // Of a third voter that lies: nothing but its own vote has counted.
    void check_lies();
    // Of two nodes beside a witness that have each other marked.
    void check_duel();
    void check_yielding(std::size_t to, const lease::Engine& before, const lease::Round& round);
    void fly(const lease::Sender& sender, std::uint8_t to, const lease::Message& message);
    void open(std::size_t index, TimePoint deadline);
    void granted(const lease::Granted& granted);
    void fail(std::string what);
    void prune();
    void forget_closed_rounds();
    void forget_idle_receivers();

    const Run& run_;
    bool answered_ = false;
    bool broke_ = false;
    std::deque<Flying> prompt_;  // Run::prompt: sent, and not yet received.

  public:
    World world;
};

}  // namespace vpnha::checker
