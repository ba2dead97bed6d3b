// SPDX-License-Identifier: GPL-2.0-or-later
// The gate of all gateways of this node (ports/gate.hpp): one BPF program, on all devices over
// which others reach the node's IP stack, or it reaches them. An address belongs to the whole node,
// whatever device it is on, so any device could answer for it.
//
// Every gateway of the configuration is covered before the first device gets the program. So it can
// replace an earlier vpnhad's program without uncovering a gateway. What this process attached
// stays unchanged when it dies; silence() shuts it from another process.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "host/gate/barred_devices.hpp"
#include "host/gate/gate_place.hpp"
#include "host/gate/hold_pair.hpp"
#include "ports/gate.hpp"

namespace vpnha::adapters {

struct GateState {
    std::optional<TimePoint> deadline;  // nullopt: shut. It may have passed.
    std::vector<IpPrefix> covered;
    ports::GateCounters drops;
};

class BpfGate final : public ports::Gate {
  public:
    // `config` must outlive the gate. Nothing is attached yet.
    [[nodiscard]] static Result<BpfGate> create(const config::Config& config,
                                                GateHook hook = gate_hook_of_kernel());

    // On a device that is no gateway's own, the gate of an earlier vpnhad stays if it is the first
    // program there. It is shut for the gateway, and stand_on() is to replace it. (tcx needs 13 ms
    // for each program that is added or removed.) A device that cannot have it is barred, if it
    // carries no gateway.
    Result<void> attach(GatewayId gateway) override;
    Result<void> open_until(GatewayId gateway, TimePoint deadline) override;
    Result<void> shut(GatewayId gateway) override;
    // If it belongs to another vpnhad, its rule ends by itself, as all of them do.
    Result<void> leave(GatewayId gateway, const ports::GateLeave& leave) override;
    // Switches learn this node's port before the other node forwards packets to it.
    Result<void> hold(GatewayId gateway, const ports::GateHold& hold) override;
    Result<void> release(GatewayId gateway, ports::HoldQueue queue) override;
    Result<void> hold_esp(GatewayId gateway, const std::vector<std::uint32_t>& spis,
                          bool held) override;
    Result<void> drain(GatewayId gateway, bool drained) override;
    // All gateways at once, whether they are drained or not: this node has no room for more.
    Result<void> drain_all(bool drained);
    [[nodiscard]] Result<std::optional<TimePoint>> deadline(GatewayId gateway) const override;
    [[nodiscard]] Result<ports::GateCounters> counters(GatewayId gateway) const override;

    // Of its devices, so that others can forward to them; unknown: this node cannot hold packets.
    [[nodiscard]] SideMacs macs(GatewayId gateway) const;
    // The error is the reason why it cannot.
    [[nodiscard]] Result<void> can_hold(GatewayId gateway) const;

    // Whether a connection may end (FIN and RST from a VIP's port with GateRule::Kind::ends): only
    // when one of its ends requests it. At first it may not, so that a server or vpnhad that dies
    // on the promoted node does not hang up clients that another node will serve. Without such a
    // rule all may.
    Result<void> allow_end(Ipv4Address vip, const Ipv4Endpoint& peer, bool meant);
    // For a device that needs one: GatePlace::stand().
    Result<void> stand_on(const Link& link);
    // For a device that no longer needs one: removes the gate from it.
    Result<void> leave(const Link& link);
    // For these devices, both directions each.
    [[nodiscard]] Result<std::vector<GateDevice>> look_at(const std::vector<Link>& links) const;
    // All devices that need the gate, each in both directions; also a gateway's device that is
    // missing.
    [[nodiscard]] Result<std::vector<GateDevice>> devices() const;
    [[nodiscard]] Result<GateState> state(GatewayId gateway) const;
    [[nodiscard]] GateHook hook() const { return hook_; }

  private:
    struct Holding {
        std::unique_ptr<HoldPair> pair;
        TimePoint until{};
        bool waits = false;    // For release().
        bool is_open = false;  // The first queue is.
    };
    // Sets the other node's stations in the gate, on the devices of each side and those below.
    [[nodiscard]] Result<void> set_stations(
        const config::Gateway& gateway,
        const std::function<void(LinkSide, const Link&, vpnha_gate_station&)>& change) const;
    void prepare_holding(GatewayId gateway);
    [[nodiscard]] Result<void> discard(GatewayId gateway);
    // An earlier vpnhad may have died with its gate open. It is shut on all devices before the
    // first one is replaced, so that no half of it stays open if that fails. Returns the devices on
    // which it may stay.
    [[nodiscard]] Result<std::set<LinkIndex>> shut_earlier(const config::Gateway& gateway,
                                                           const std::vector<Link>& links) const;
    [[nodiscard]] Result<GatePlace> place() const;
    [[nodiscard]] Result<void> bar(const std::vector<RefusedDevice>& refused,
                                   const std::vector<Link>& all);
    BpfGate(const config::Config& config, GateHook hook, GateProgram program,
            std::uint32_t deadlines)
        : config_(&config), hook_(hook), program_(std::move(program)), deadlines_(deadlines) {}

    const config::Config* config_;
    GateHook hook_;
    GateProgram program_;
    std::uint32_t deadlines_;  // The kernel's number of the map identifies this process's gate.
    std::set<GatewayId> attached_;
    std::map<GatewayId, Holding> holding_;
    std::map<GatewayId, Error> cannot_hold_;
};

}  // namespace vpnha::adapters
