// SPDX-License-Identifier: GPL-2.0-or-later
// What a node wants done. The daemon executes them on the real ports in the order given, the
// simulator on fake ones; whatever has a result comes back as an event of node.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/link_side.hpp"
#include "conntrack/policy.hpp"
#include "conntrack/standby.hpp"
#include "l2tp/session_record.hpp"
#include "lease/effects.hpp"
#include "takeover/takeover.hpp"

namespace vpnha::node {

// One call of an agent or CLI that waits for its answer; numbered by the caller.
using RequestToken = std::uint64_t;
// One pppd of this node, for as long as its plugin's connection lives; numbered by the caller.
using PluginToken = std::uint64_t;

struct SendToGroup {
    Bytes message;
};
// Of several for one session only the last needs to be done. → Node::on_installed()
struct InstallSession {
    GatewayId gateway;
    l2tp::SessionRecord record;
    std::uint64_t ticket = 0;
};
struct RemoveSession {
    GatewayId gateway;
    l2tp::SessionKey key;
};
// What of the installed sessions the kernel still has. → Node::on_audited()
struct AuditSessions {
    GatewayId gateway;
};
// The kernel's events of flows are wanted, from now until UnwatchFlows. → Node::on_flow_news(),
// Node::on_flows_lost()
struct WatchFlows {
    GatewayId gateway;
    conntrack::Policy policy;
};
struct UnwatchFlows {
    GatewayId gateway;
};
// The kernel's whole table; a listing under way is given up for it. → Node::on_flow_news(), and at
// its end Node::on_flows_listed()
struct ListFlows {
    GatewayId gateway;
};
// As the table has them now; those that are not there have ended. → Node::on_flow_news()
struct LookUpFlows {
    GatewayId gateway;
    std::vector<conntrack::FlowKey> flows;
};
// These three take place in the order given, in slices. → Node::on_flows_installed()
struct InstallFlows {
    GatewayId gateway;
    std::vector<conntrack::Wanted> flows;
};
struct RemoveFlows {
    GatewayId gateway;
    std::vector<conntrack::FlowKey> flows;
};
// → Node::on_flows_missing()
struct SetFlowTimeouts {
    GatewayId gateway;
    std::vector<conntrack::Timeout> flows;
};
// What helpers expect: the same, in one order with the flows. → Node::on_expectations_listed(),
// unless that fails
struct ListExpectations {
    GatewayId gateway;
};
// → Node::on_expectations_installed()
struct InstallExpectations {
    GatewayId gateway;
    std::vector<conntrack::WantedExpectation> expectations;
};
struct RemoveExpectations {
    GatewayId gateway;
    std::vector<conntrack::FlowKey> expectations;
};
// → Node::on_expectations_missing()
struct SetExpectationTimeouts {
    GatewayId gateway;
    std::vector<conntrack::Timeout> expectations;
};
// What follows from it waits in the node until it is on the disk. Of two that wait only the newer
// one need be saved and answered. → Node::on_lease_saved()
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
// Until when this node may speak for the gateway; {}: it is silent when this returns.
struct SetGate {
    GatewayId gateway;
    TimePoint deadline{};
};
// A step of a transition that ports have to run. → Node::on_step_done()
struct RunStep {
    GatewayId gateway;
    takeover::Step step;
    Epoch epoch;           // The one that the transition is about.
    TimePoint deadline{};  // Of the lease; for open_gate.
};
// Gratuitous ARP again; nothing depends on its result.
struct Announce {
    GatewayId gateway;
};
// The neighbours of that side, whether they are there. → Node::on_neighbour()
struct AskNeighbours {
    GatewayId gateway;
    LinkSide side;
};
struct SendDatagram {
    GatewayId gateway;
    l2tp::TunnelKey tunnel;
    Bytes bytes;
};
struct SendFrame {
    GatewayId gateway;
    l2tp::SessionKey session;
    Bytes frame;
};
struct AnswerPlugin {
    PluginToken plugin;
    bool is_protected;
    std::string reason;  // Why not; empty when protected.
};
struct AnswerRequest {
    RequestToken request;
    Result<void> result;
};
// The promotion score that Pacemaker is to see.
struct WriteScore {
    GatewayId gateway;
    std::string resource;
    int score;
};
// The score of another node, whose vpnhad has died or stands still, is to be forgotten: Pacemaker
// moves the role, and does so sooner than after a failure, which its own monitor finds later.
// Whoever was demoted writes its score again.
struct WithdrawScore {
    GatewayId gateway;
    std::string resource;
    std::string node;  // Its name.
};
// From now until the next step reset_services, the death of the gateway's stock daemons is told.
// → Node::on_service_died()
struct WatchServices {
    GatewayId gateway;
};
// The death of a service of the promoted node; Pacemaker is to hear it before its own monitor does.
struct ReportFailure {
    GatewayId gateway;
    std::string resource;
    std::string node;  // Its name.
};
// The last agent detached the gateway; with none left the daemon ends.
struct Detached {
    GatewayId gateway;
};
// This life of the node is fenced: all its gateways fall silent, it ends its services and resets
// itself. Nothing behind it is executed any more.
struct Fenced {};
enum class Level { error, warning, info, debug };
struct Log {
    Level level;
    std::string text;
};

using Effect =
    std::variant<SendToGroup, InstallSession, RemoveSession, AuditSessions, WatchFlows,
                 UnwatchFlows, ListFlows, LookUpFlows, InstallFlows, RemoveFlows, SetFlowTimeouts,
                 ListExpectations, InstallExpectations, RemoveExpectations, SetExpectationTimeouts,
                 SaveLease, SendLease, SetGate, RunStep, Announce, AskNeighbours, SendDatagram,
                 SendFrame, AnswerPlugin, AnswerRequest, WriteScore, WithdrawScore, WatchServices,
                 ReportFailure, Detached, Fenced, Log>;
using Effects = std::vector<Effect>;

}  // namespace vpnha::node
