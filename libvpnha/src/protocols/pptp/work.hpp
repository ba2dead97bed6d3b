// SPDX-License-Identifier: GPL-2.0-or-later
// PPTP calls: what their keeper wants of this node's data path and observer, and what it hears of
// them.
//
// The data path is a process of its own. It runs a pptp::ResumedCall for each call that was
// prepared: no packet comes to the keeper. What it tells comes by way of the loop.
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

// What its observer and the plugin know of a stock call. The keys in its record are sealed already.
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
// numbers, its TUN device is there. It stays silent, and nothing answers its peer with a RST or an
// ICMP error. In place of what was prepared for it before. → CallPrepared
struct PrepareCall {
    GatewayId gateway;
    pptp::CallRecord record;
    pptp::CallNumbers numbers;
    std::uint64_t ticket = 0;
};
// Newer numbers of prepared calls, as the node that serves has said them.
struct SetCallNumbers {
    GatewayId gateway;
    std::vector<pptp::CallState> calls;
};
// The call is no more, or not this node's: without a word. A socket that is closed sends nothing.
struct RemoveCall {
    GatewayId gateway;
    pptp::CallKey key;
};
// What was resumed is over: its peer is told. One that is being resumed ends as soon as it may
// speak. → CallEnded
struct EndCall {
    GatewayId gateway;
    pptp::CallKey key;
    std::string reason;  // For the log.
    EndCause cause{};
};
// The data path does not have it: its client is told that its control connection is no more. The
// client's answer to that segment goes to no socket, and the kernel says RST.
struct DismissCall {
    GatewayId gateway;
    pptp::CallKey key;
    bool timestamps = false;  // The connection has them.
    pptp::ProbeSegment segment;
};
// The gate is open: these go on. `exact`: their numbers are final, whoever had them before said so
// after its gate was shut. `tenure`: of this node, its epoch modulo 256. → CallResumed, CallEnded
struct ResumeCalls {
    GatewayId gateway;
    std::vector<pptp::CallKey> calls;
    bool exact = false;
    std::uint8_t tenure = 0;
};
// Their numbers of after CallResumed are known to the group: what their devices hold may go out.
// Those that were resumed with final numbers need no such word.
struct ReleaseCalls {
    GatewayId gateway;
    std::vector<pptp::CallKey> calls;
};
// The gate is shut: what was resumed says nothing, and loses nothing. ResumeCalls{exact} lets it go
// on where it was.
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

// What became of a preparation.
struct CallPrepared {
    pptp::CallKey key;
    std::uint64_t ticket = 0;
    Result<void> result;
    std::uint32_t device = 0;  // Its TUN device's number in this kernel.
    Traffic before{};          // What that device has counted, for other calls.
};
// The client's packets flow again; those to it wait for ReleaseCalls.
struct CallResumed {
    pptp::CallKey key;
    std::string how;  // For the log: "exact", "probed 1 ms, rung 0 after 2 ms".
};
// A resumed call is over, and the peer knows it: its TUN device and its socket are gone.
struct CallEnded {
    pptp::CallKey key;
    std::string reason;
    EndCause cause{};
};
// Of live calls those whose numbers have changed; the observer and the data path say them each 100
// ms, and after 512 packets of a call. With the ticket of a ReadCalls, all, as they stood then or
// later; 0: unasked.
struct CallsRead {
    std::uint64_t ticket = 0;
    std::span<const pptp::CallState> calls;
};
using PptpEvent = std::variant<CallPrepared, CallResumed, CallEnded, CallsRead>;
template <effects::OneOf<PptpEvent> What>
PptpEvent event_of(const What&);

}  // namespace vpnha::node
