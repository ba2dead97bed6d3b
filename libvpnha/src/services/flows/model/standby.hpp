// SPDX-License-Identifier: GPL-2.0-or-later
// What a flow of another node becomes in this one's kernel, and what follows from the kernel's
// answer.
//
// Hot: the timeout is limits::kStandbyFlowTimeout, because packets that refresh the flow on the
// promoted node raise no event; the record's removal ends it, and the first packet after a takeover
// sets the protocol's own. Both directions of TCP are liberal (IP_CT_TCP_FLAG_BE_LIBERAL): windows
// are in no record, and the kernel that guesses them from a retransmitted segment would take newer
// ones for invalid, pass them without NAT, and the connection would be reset. Flows of which no
// packet came get their own timeout back after the takeover (services/flows/keeper/flows.hpp).
//
// GRE's timeout is fixed (IPS_FIXED_TIMEOUT; EPERM for whoever changes it): for entries that no
// packet made the kernel has 0 as the protocol's own, and the first packet would end them. They are
// made anew when half of it is over, on standbys, and on a successor those of PPTP's calls, until
// their control connection ends (services/flows/model/calls.hpp). Other GRE ends; a packet makes
// its entry.
#pragma once

#include <optional>

#include "base/limits.hpp"
#include "services/flows/model/expectation.hpp"
#include "services/flows/model/flow.hpp"

namespace vpnha::conntrack {

inline constexpr auto kHotSeconds =
    static_cast<std::uint32_t>(std::chrono::seconds(limits::kStandbyFlowTimeout).count());

[[nodiscard]] Flow hot(Flow flow);

// A vpnhad of this node installed it, and no packet has come since: nothing that the kernel has by
// itself lives so long.
[[nodiscard]] inline bool is_hot(const Flow& flow) {
    return std::chrono::seconds(flow.timeout_s) > limits::kKernelFlowTimeoutMax;
}
[[nodiscard]] inline bool is_hot(const Expectation& expectation) {
    return std::chrono::seconds(expectation.timeout_s) > limits::kKernelFlowTimeoutMax;
}

// What a flow of which that is not known lives without packets: an established connection of TCP as
// long as the kernel lets it by default, others about as long.
[[nodiscard]] std::uint32_t usual_timeout_s(const Flow& flow);

// A flow to be installed; the ticket is the replica's.
struct Wanted {
    std::uint64_t ticket = 0;
    Flow flow;
};
struct WantedExpectation {
    std::uint64_t ticket = 0;
    Expectation expectation;
};
// How that ended.
struct Installed {
    FlowKey key;
    std::uint64_t ticket = 0;
    bool taken = false;
};
// An entry is to live so long from now on.
struct Timeout {
    FlowKey key;
    std::uint32_t seconds = 0;
};

// The kernel's answer to an injection.
enum class Answer : std::uint8_t {
    taken,
    exists,     // EEXIST: one of its tuples is in the table.
    no_parent,  // ENOENT
    no_helper,  // EOPNOTSUPP: the module is not there.
    once_more,  // EAGAIN: the module is there now.
    refused,
};

enum class Next : std::uint8_t {
    done,
    compare,         // With what is in the table.
    without_parent,  // It goes on, but is not ended with its parent.
    without_helper,  // It goes on; what its helper would expect from now on is not expected.
    again,
    give_up,
};

[[nodiscard]] Next after(Answer answer, const Flow& flow);

enum class Resident : std::uint8_t {
    none,   // Gone meanwhile: again.
    same,   // This flow: it is changed.
    other,  // A flow of this node's own, which cannot be the gateway's as long as another node
            // serves: it goes.
};

// What holds the flow's original tuple, or its reply's.
[[nodiscard]] Resident compare(const Flow& wanted, const std::optional<Flow>& resident);

}  // namespace vpnha::conntrack
