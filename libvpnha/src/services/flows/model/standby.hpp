// SPDX-License-Identifier: GPL-2.0-or-later
// The state of another node's flow in this one's kernel, and the next step after the kernel's
// answer.
//
// Hot: the timeout is limits::kStandbyFlowTimeout, because packets that refresh the flow on the
// promoted node raise no event. The record's removal ends it, and the first packet after a takeover
// sets the protocol's own timeout. Both directions of TCP are liberal (IP_CT_TCP_FLAG_BE_LIBERAL):
// windows are in no record. A kernel that guesses them from a retransmitted segment would consider
// newer ones invalid and pass them without NAT, and the connection would be reset. After the
// takeover, flows without a packet get their own timeout back (services/flows/keeper/flows.hpp).
//
// GRE's timeout is fixed (IPS_FIXED_TIMEOUT; a change fails with EPERM): for entries that no packet
// made, the kernel's protocol timeout is 0, and the first packet would end them. They are made anew
// when half of it is over, on standbys, and on a successor those of PPTP's calls, until their
// control connection ends (services/flows/model/calls.hpp). Other GRE ends; a packet makes its
// entry.
#pragma once

#include <optional>

#include "base/limits.hpp"
#include "services/flows/model/expectation.hpp"
#include "services/flows/model/flow.hpp"

namespace vpnha::conntrack {

inline constexpr auto kHotSeconds =
    static_cast<std::uint32_t>(std::chrono::seconds(limits::kStandbyFlowTimeout).count());

[[nodiscard]] Flow hot(Flow flow);

// A vpnhad of this node installed it, and no packet has come since: no timeout of the kernel is
// that long.
[[nodiscard]] inline bool is_hot(const Flow& flow) {
    return std::chrono::seconds(flow.timeout_s) > limits::kKernelFlowTimeoutMax;
}
[[nodiscard]] inline bool is_hot(const Expectation& expectation) {
    return std::chrono::seconds(expectation.timeout_s) > limits::kKernelFlowTimeoutMax;
}

// The lifetime of a flow without packets if its own is unknown: for an established connection of
// TCP the kernel's default, for others about as long.
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
// The result of an installation.
struct Installed {
    FlowKey key;
    std::uint64_t ticket = 0;
    bool taken = false;
};
// The new timeout of an entry.
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
    compare,         // Compare it with the entry in the table.
    without_parent,  // It continues, but does not end with its parent.
    without_helper,  // It continues; its helper will not expect any connection from now on.
    again,
    give_up,
};

[[nodiscard]] Next after(Answer answer, const Flow& flow);

// An entry that a packet has made or refreshed. On a node that serves it is newer than what the
// node as a standby was to install.
enum class Live : std::uint8_t { changes, stays };

enum class Resident : std::uint8_t {
    none,   // Gone meanwhile: again.
    same,   // This flow: it is changed.
    live,   // This flow, and it stays as it is.
    other,  // A flow of this node's own, which cannot be the gateway's as long as another node
            // serves: it is removed.
};

// The entry that holds the flow's original tuple, or its reply's.
[[nodiscard]] Resident compare(const Flow& wanted, const std::optional<Flow>& resident, Live live);

}  // namespace vpnha::conntrack
