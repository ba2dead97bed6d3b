// SPDX-License-Identifier: GPL-2.0-or-later
// PPTP calls: the keeper's requests to this node's data path and observer, and the events from
// them.
//
// The data path is a separate process. It runs a pptp::ResumedCall for each prepared call: no
// packet reaches the keeper. Its events arrive through the loop.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/accounting.hpp"
#include "base/ids.hpp"
#include "cluster/effects/protocol_work.hpp"
#include "cluster/wire/record_key.hpp"
#include "protocols/ppp/plugin_event.hpp"
#include "protocols/pptp/model/call_record.hpp"
#include "protocols/pptp/model/control_probe.hpp"

namespace vpnha::node {

[[nodiscard]] inline wire::RecordKey record_key_of(const pptp::CallKey& key) {
    return {wire::RecordType::pptp_call, wire::RecordId(pptp::encode_key(key))};
}

// A stock call as its observer and the plugin know it. The keys in its record are sealed already.
struct StockCall {
    pptp::CallRecord record;
    pptp::CallNumbers numbers;  // As far as they have been seen.
};
[[nodiscard]] inline PluginSession stock_session(StockCall call) {
    const pptp::CallRecord& record = call.record;
    PluginSession session{record_key_of(record.key), record.key.peer.address, record.facts, {}};
    session.own = std::move(call);
    return session;
}

// A call that this node may resume: its keys are opened, its chains of keys advanced to the
// numbers, its TUN device is there. It stays silent, and its peer receives no RST or ICMP error.
// Replaces an earlier preparation. → CallPrepared
struct PrepareCall {
    GatewayId gateway;
    pptp::CallRecord record;
    pptp::CallNumbers numbers;
    std::uint64_t ticket = 0;
};
// Newer numbers of prepared calls, as the node that serves has published them.
struct SetCallNumbers {
    GatewayId gateway;
    std::vector<pptp::CallState> calls;
};
// The call has ended, or is not this node's: it is removed silently, its socket without a packet.
struct RemoveCall {
    GatewayId gateway;
    pptp::CallKey key;
};
// A resumed call is over: its peer is notified. A call that is being resumed ends as soon as it may
// send. → CallEnded
struct EndCall {
    GatewayId gateway;
    pptp::CallKey key;
    std::string reason;  // For the log.
    EndCause cause{};
};
// The data path does not have it: its client is notified that its control connection is gone. The
// client's answer to that segment reaches no socket, and the kernel sends RST.
struct DismissCall {
    GatewayId gateway;
    pptp::CallKey key;
    bool timestamps = false;  // The connection has them.
    pptp::ProbeSegment segment;
};
// The gate is open: these continue. `exact`: the numbers are final: published after the gate of
// their holder was shut. `tenure`: this node's epoch modulo 256. → CallResumed, CallEnded
struct ResumeCalls {
    GatewayId gateway;
    std::vector<pptp::CallKey> calls;
    bool exact = false;
    std::uint8_t tenure = 0;
};
// The group has their numbers from after CallResumed: packets at their devices may be sent. Calls
// that were resumed with final numbers do not need this.
struct ReleaseCalls {
    GatewayId gateway;
    std::vector<pptp::CallKey> calls;
};
// The gate is shut: resumed calls send nothing, and lose nothing. ResumeCalls{exact} continues them
// from there.
struct PauseCalls {
    GatewayId gateway;
};
// This node serves: the observer follows the stock calls of the gateway, from now until
// UnwatchCalls. → CallsRead
struct WatchCalls {
    GatewayId gateway;
};
struct UnwatchCalls {
    GatewayId gateway;
};
// The numbers of all live calls now, stock and resumed. → CallsRead with the ticket
struct ReadCalls {
    GatewayId gateway;
    std::uint64_t ticket = 0;
};

using PptpWork =
    std::variant<PrepareCall, SetCallNumbers, RemoveCall, EndCall, DismissCall, ResumeCalls,
                 ReleaseCalls, PauseCalls, WatchCalls, UnwatchCalls, ReadCalls>;
template <effects::OneOf<PptpWork> What>
PptpWork work_of(const What&);

// The result of a preparation.
struct CallPrepared {
    pptp::CallKey key;
    std::uint64_t ticket = 0;
    Result<void> result;
    std::uint32_t device = 0;  // Its TUN device's number in this kernel.
    Traffic before{};          // Its counts for earlier calls.
};
// The client's packets are forwarded again; those to it wait for ReleaseCalls.
struct CallResumed {
    pptp::CallKey key;
    std::string how;  // For the log: "exact", "probed 1 ms, rung 0 after 2 ms".
};
// A resumed call is over, and the peer is notified: its TUN device and its socket are gone.
struct CallEnded {
    pptp::CallKey key;
    std::string reason;
    EndCause cause{};
};
// Live calls with changed numbers; the observer and the data path report them each 100 ms, and
// after 512 packets of a call. With the ticket of a ReadCalls: all live calls, with their numbers
// from then or later; 0: unasked.
struct CallsRead {
    std::uint64_t ticket = 0;
    std::span<const pptp::CallState> calls;
};
using PptpEvent = std::variant<CallPrepared, CallResumed, CallEnded, CallsRead>;
template <effects::OneOf<PptpEvent> What>
PptpEvent event_of(const What&);

}  // namespace vpnha::node
