// SPDX-License-Identifier: GPL-2.0-or-later
// The gate of all gateways of this node (ports/gate.hpp): one BPF program, on all devices by which
// others speak to the node's IP stack, or it to them. An address is the whole node's, whatever
// device it is on, so any device could answer for it.
//
// Every gateway of the configuration is covered before the first device gets the program. So it
// uncovers nobody to take the place of an earlier vpnhad's program. What this process attached
// stays when it dies, as it stood; silence() shuts it from another process.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/gate/gate_chain.hpp"
#include "adapters/gate/gate_program.hpp"
#include "config/config.hpp"
#include "ports/gate.hpp"

namespace vpnha::adapters {

// Whether a device has to have the gate: the node's IP stack receives by it. Not by lo, and not by
// a port of a bridge or bond, in whose place the bridge or bond receives. PPP units have none: the
// kernel answers no ARP there, a node has thousands, and what a session's carries has passed the
// gate of another device. The same goes for TUN devices with the prefix of resumed PPTP calls. The
// gateways' own devices have it whatever they are.
inline constexpr std::string_view kCallDevicePrefix = "vpnp-";
[[nodiscard]] bool needs_gate(const Link& link, const config::Config& config);

// Whether it is a gateway's own.
[[nodiscard]] bool is_named(const Link& link, const config::Config& config);

// Where the program stands on a device, as the kernel says.
enum class GatePresence {
    attached,   // It runs before all others.
    behind,     // Another program runs before it, and may let pass what it would drop.
    missing,    // The device is there, and lets everything pass.
    foreign,    // Another process's gate is there, whose deadlines are not this one's.
    no_device,  // Nothing passes either.
};

struct GateDevice {
    std::string interface;
    GateDirection direction;
    GatePresence presence;
    std::vector<std::string> before;  // Names of the programs that run before it.
};

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
    // program there. It is shut for the gateway, and stand_on() is to take its place. (tcx needs
    // 13 ms for each program that comes or goes.)
    Result<void> attach(GatewayId gateway) override;
    Result<void> open_until(GatewayId gateway, TimePoint deadline) override;
    Result<void> shut(GatewayId gateway) override;
    Result<void> hold_esp(GatewayId gateway, const std::vector<std::uint32_t>& spis,
                          bool held) override;
    Result<void> drain(GatewayId gateway, bool drained) override;
    // All gateways at once, whether they are drained or not: this node can take no more.
    Result<void> drain_all(bool drained);
    [[nodiscard]] Result<std::optional<TimePoint>> deadline(GatewayId gateway) const override;
    [[nodiscard]] Result<ports::GateCounters> counters(GatewayId gateway) const override;

    // Whether a control connection of PPTP may end (FIN and RST from the VIP's port 1723): only
    // when one of its ends means it. At first it may not, so that a pptpd or vpnhad that dies on
    // the promoted node does not hang up clients that another node will serve. Without [pptp] in
    // its gateway all may.
    Result<void> allow_end(Ipv4Address vip, const Ipv4Endpoint& peer, bool meant);
    // Of a device that needs one: puts the gate before all other programs, in both directions, if
    // it is not there. Error not_found: the device is gone, busy: somebody keeps it from being
    // first.
    Result<void> stand_on(const Link& link);
    // Of a device that needs none any more: takes the gate off it.
    Result<void> leave(const Link& link);
    // Of that device, both directions.
    [[nodiscard]] Result<std::vector<GateDevice>> look_at(const Link& link) const;
    // Of all devices that need the gate, each in both directions; a gateway's that is not there is
    // among them.
    [[nodiscard]] Result<std::vector<GateDevice>> devices() const;
    [[nodiscard]] Result<GateState> state(GatewayId gateway) const;
    [[nodiscard]] GateHook hook() const { return hook_; }

  private:
    // An earlier vpnhad may have died with its gate open. It is shut on all devices before the
    // first one changes hands, so that no half of it stays open if that fails. Returns the devices
    // on which it may stay.
    [[nodiscard]] Result<std::set<LinkIndex>> shut_earlier(const config::Gateway& gateway,
                                                           const std::vector<Link>& links) const;
    BpfGate(const config::Config& config, GateHook hook, GateProgram program,
            std::uint32_t deadlines)
        : config_(&config), hook_(hook), program_(std::move(program)), deadlines_(deadlines) {}

    const config::Config* config_;
    GateHook hook_;
    GateProgram program_;
    std::uint32_t deadlines_;  // The kernel's number of the map: the mark of this process's gate.
    std::set<GatewayId> attached_;
};

// Shuts the gateway's gate without the vpnhad that attached it, which must be dead: a living one
// would open it again. A device that has no gate, or has it behind another program, gets a shut
// one; a device that is gone lets nothing pass and is no failure.
[[nodiscard]] Result<void> silence(const config::Config& config, const config::Gateway& gateway,
                                   GateHook hook = gate_hook_of_kernel());

// Whether the gateway's gate lets packets pass on one of its devices at this moment, whoever
// attached it. A device without a gate does not count: what passes there, no lease lets pass.
[[nodiscard]] Result<bool> is_open(const config::Config& config, const config::Gateway& gateway,
                                   GateHook hook = gate_hook_of_kernel());

// Whether this kernel has what the gate needs: attaches it in a network namespace of its own, of
// which nothing is left. Error unsupported says what is missing, permission that only root can
// look.
[[nodiscard]] Result<void> probe_gate();

}  // namespace vpnha::adapters
