// SPDX-License-Identifier: GPL-2.0-or-later
// A node's effects. The daemon executes them on the real ports in the order given, the simulator on
// fake ones (effect_runner.hpp). A result comes back as an event of node.hpp. All work of protocols
// is one alternative (protocol_work.hpp). This layer is below the keepers that write effects and
// the node that passes them on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/link_side.hpp"
#include "base/log_level.hpp"
#include "base/mac_address.hpp"
#include "base/tokens.hpp"
#include "cluster/effects/protocol_work.hpp"
#include "cluster/lease/effects.hpp"
#include "cluster/takeover/takeover.hpp"
#include "protocols/ppp/model/timeouts.hpp"

namespace vpnha::effects {

struct SendToGroup {
    Bytes message;
};
// Its consequences wait in the node until it is on the disk. Of two that wait only the newer one
// need be saved and answered. → Node::on_lease_saved()
struct SaveLease {
    GatewayId gateway;
    lease::Durable durable;
    std::uint64_t ticket = 0;  // Grows.
};
// A datagram between the nodes' leases; it may be lost.
struct SendLease {
    GatewayId gateway;
    NodeId to;
    lease::Message message;
};
// Until when this node may send for the gateway; {}: it is silent when this returns.
struct SetGate {
    GatewayId gateway;
    TimePoint deadline{};
};
// This node gives the gateway up to another one. Packets within the node may leave until `shut_at`.
// Packets that arrive until `until` are forwarded to that node's devices, unless there is a lease
// beyond `beyond`. If that is impossible, the gate is shut when this returns.
struct LeaveGate {
    GatewayId gateway;
    TimePoint until{};
    TimePoint beyond{};
    TimePoint shut_at{};
    SideMacs to;
};
// This node is about to claim the gateway: packets for it that arrive until then wait for the gate
// to open. `before` forwards them. A gate that is set to be shut drops them.
struct HoldGate {
    GatewayId gateway;
    TimePoint until{};
    SideMacs before;
};
// The gate is open, and the sessions accept packets: held packets continue.
struct GiveBack {
    GatewayId gateway;
};
// The open gate drops packets that begin a session, or passes them again.
struct DrainGate {
    GatewayId gateway;
    bool drained = false;
};
// A step of a transition that ports have to run. → Node::on_step_done()
struct RunStep {
    GatewayId gateway;
    takeover::Step step;
    Epoch epoch;           // The epoch of the transition.
    TimePoint deadline{};  // Of the lease; for open_gate.
};
// Gratuitous ARP again; nothing depends on its result.
struct Announce {
    GatewayId gateway;
};
// Queries the neighbours of that side. → Node::on_neighbour()
struct AskNeighbours {
    GatewayId gateway;
    LinkSide side;
};
struct AnswerPlugin {
    PluginToken plugin;
    bool is_protected;
    std::string reason;  // Why not; empty when protected.
};
// To a pppd that requests an address, or whose session has the address of another one.
struct AnswerAddress {
    PluginToken plugin;
    Ipv4Address address;  // 0.0.0.0: pppd uses its own.
    std::string refusal;  // Why there is none: the session ends. Empty: it continues.
};
// That pppd notifies its client that the session is over, and ends. → PluginDown
struct EndPlugin {
    PluginToken plugin;
};
// The session of that pppd has these time-outs from now on, in place of those that it reported; and
// that rate, if there is one.
struct ChangePlugin {
    PluginToken plugin;
    ppp::Timeouts timeouts;
    std::optional<Rate> rate{};
};
struct AnswerRequest {
    RequestToken request;
    Result<void> result;
};
// The promotion score for Pacemaker.
struct WriteScore {
    GatewayId gateway;
    std::string resource;
    int score;
};
// Removes the score of another node whose vpnhad has died or hangs.
// Pacemaker then moves the role, sooner than after a failure that
// its own monitor finds. The demoted node writes its score again.
struct WithdrawScore {
    GatewayId gateway;
    std::string resource;
    std::string node;  // Its name.
};
// Queries that node's kernel by ICMP, on every link of the cluster. → Node::on_echo()
struct AskForEcho {
    NodeId node;
};
// From now until the next step reset_services, the death of the gateway's stock daemons is
// reported. → Node::on_service_died()
struct WatchServices {
    GatewayId gateway;
};
// Reports the death of a service of the promoted node to Pacemaker before its own monitor does.
struct ReportFailure {
    GatewayId gateway;
    std::string resource;
    std::string node;  // Its name.
};
// The last agent detached the gateway; without any gateway the daemon ends.
struct Detached {
    GatewayId gateway;
};
// This life of the node is fenced: all its gateways fall silent, it ends its services and resets
// itself. No later effect is executed.
struct Fenced {};
struct Log {
    LogLevel level;
    std::string text;
};

using Effect =
    std::variant<SendToGroup, ProtocolWork, SaveLease, SendLease, SetGate, LeaveGate, HoldGate,
                 GiveBack, DrainGate, RunStep, Announce, AskNeighbours, AnswerPlugin, AnswerAddress,
                 EndPlugin, ChangePlugin, AnswerRequest, WriteScore, WithdrawScore, AskForEcho,
                 WatchServices, ReportFailure, Detached, Fenced, Log>;
using Effects = std::vector<Effect>;

// The gateway is to refuse new clients from that time on; nullopt: it is to accept them again.
struct DrainOrder {
    std::optional<std::uint64_t> since_unix_ms;
};

DrainOrder event_of(const DrainOrder&);

// The effect, if it is that one; nullptr otherwise. For a protocol's work each command counts.
template <class What>
[[nodiscard]] const What* find(const Effect& effect) {
    if constexpr (Command<What>) {
        const auto* const work = std::get_if<ProtocolWork>(&effect);
        return work == nullptr ? nullptr : work->find<What>();
    } else {
        return std::get_if<What>(&effect);
    }
}
template <class What>
[[nodiscard]] What* find(Effect& effect) {
    return const_cast<What*>(find<What>(std::as_const(effect)));
}

}  // namespace vpnha::effects

// The node and its gateways write effects in each line.
namespace vpnha::node {
using effects::Announce;
using effects::AnswerAddress;
using effects::AnswerPlugin;
using effects::AnswerRequest;
using effects::AskForEcho;
using effects::AskNeighbours;
using effects::ChangePlugin;
using effects::Detached;
using effects::DrainGate;
using effects::DrainOrder;
using effects::Effect;
using effects::Effects;
using effects::EndPlugin;
using effects::Fenced;
using effects::find;
using effects::GiveBack;
using effects::HoldGate;
using effects::KeeperEvent;
using effects::LeaveGate;
using effects::Log;
using effects::ProtocolWork;
using effects::ReportFailure;
using effects::RunStep;
using effects::SaveLease;
using effects::SendLease;
using effects::SendToGroup;
using effects::SetGate;
using effects::WatchServices;
using effects::WithdrawScore;
using effects::WriteScore;
}  // namespace vpnha::node
