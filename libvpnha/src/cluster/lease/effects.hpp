// SPDX-License-Identifier: GPL-2.0-or-later
// What the lease engine wants done, in this order.
#pragma once

#include <string_view>
#include <variant>
#include <vector>

#include "cluster/lease/holder.hpp"
#include "cluster/lease/messages.hpp"
#include "cluster/lease/voter.hpp"

namespace vpnha::lease {

// What a node must know of its past.
struct Durable {
    Epoch claimed;
    Epoch granted;
    Epoch ordered;    // The highest that ended by order.
    Epoch elsewhere;  // See Before::elsewhere.
    Marks marks;
    Voters voters;
    friend bool operator==(const Durable&, const Durable&) = default;
};

// On the disk before anything behind it is said or opened; what cannot be saved is never said
// (Engine::on_not_saved()).
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
// As SetDeadline{}, for the claim of `to`: what comes for the gateway may be sent on there. The
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
    // No other node was granted a higher epoch by a majority: the highest that any answer named.
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
// A change of the list of voters is through.
struct VotersChanged {
    VoterList voters;
};

// This node remembers again who votes: others have told it.
struct Recalled {
    VoterList voters;
};
// It cannot vote before these nodes have told it what they remember. Said once for each such list.
struct Awaits {
    std::vector<NodeId> nodes;
};

using Effect = std::variant<SaveDurable, Send, SetDeadline, Leave, Claims, Granted, Ended,
                            ReadCounters, Fenced, RunOut, VotersChanged, Recalled, Awaits>;
using Effects = std::vector<Effect>;

}  // namespace vpnha::lease
