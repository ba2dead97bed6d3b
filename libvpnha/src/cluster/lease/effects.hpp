// SPDX-License-Identifier: GPL-2.0-or-later
// The effects of the lease engine, to be carried out in this order.
#pragma once

#include <string_view>
#include <variant>
#include <vector>

#include "cluster/lease/holder.hpp"
#include "cluster/lease/messages.hpp"
#include "cluster/lease/voter.hpp"

namespace vpnha::lease {

// The state that a node must remember.
struct Durable {
    Epoch claimed;
    Epoch granted;
    Epoch ordered;    // The highest that ended by order.
    Epoch elsewhere;  // See Before::elsewhere.
    Marks marks;
    Voters voters;
    friend bool operator==(const Durable&, const Durable&) = default;
};

// To be on the disk before any later effect is sent or opens the gate. A state that cannot be saved
// is never sent (Engine::on_not_saved()).
struct SaveDurable {
    Durable durable;
};
struct Send {
    NodeId to;
    Message message;
};
// To be written into the gate; {}: shut.
struct SetDeadline {
    TimePoint deadline{};
};
// As SetDeadline{}, for the claim of `to`: packets for the gateway may be forwarded there. The
// lease that is given up would have lasted until then.
struct Leave {
    NodeId to;
    TimePoint until{};
};
// This node claims an epoch: another one may hand over to it from now on.
struct Claims {};
// A claim of this node has a majority; the deadline follows.
struct Granted {
    Epoch epoch;
    Margin margin;
    // No majority granted another node a higher epoch: the highest in any answer.
    Epoch elsewhere;
};
enum class End : std::uint8_t { released, lapsed, given_up, handed_over, fenced };
[[nodiscard]] std::string_view to_string(End end);
// This node's epoch is dead.
struct Ended {
    Epoch epoch;
    End why = End::released;
};
// As soon as the gate is shut for a successor that waits: → Engine::on_counters().
struct ReadCounters {};
// This life of the node is fenced: it stays silent, ends its services and resets itself.
struct Fenced {};
// No promise to the victim holds any more, and no majority will make one.
struct RunOut {
    NodeId victim;
    BootId boot;
};
// A change of the list of voters is complete.
struct VotersChanged {
    VoterList voters;
};

// This node has learned the list of voters again from others.
struct Recalled {
    VoterList voters;
};
// It cannot vote before it knows these nodes' memory. Reported once for each such list.
struct Awaits {
    std::vector<NodeId> nodes;
};

using Effect = std::variant<SaveDurable, Send, SetDeadline, Leave, Claims, Granted, Ended,
                            ReadCounters, Fenced, RunOut, VotersChanged, Recalled, Awaits>;
using Effects = std::vector<Effect>;

}  // namespace vpnha::lease
