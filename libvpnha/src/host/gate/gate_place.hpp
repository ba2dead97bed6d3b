// SPDX-License-Identifier: GPL-2.0-or-later
// Where the gate stands: on which devices of the node, and before which other programs of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "host/gate/gate_chain.hpp"
#include "host/gate/gate_program.hpp"

namespace vpnha::adapters {

// Whether a device has to have the gate: the node's IP stack receives by it. Not by lo, and not by
// a port of a bridge or bond, in whose place the bridge or bond receives. PPP units have none: the
// kernel answers no ARP there, a node has thousands, and what a session's carries has passed the
// gate of another device. The same goes for TUN devices with the prefix of resumed PPTP calls, and
// for what holds packets in planned moves. The gateways' own devices have it whatever they are.
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
    barred,     // It is not the first program there, and the device is barred.
    no_device,  // Nothing passes either.
};

struct GateDevice {
    std::string interface;
    GateDirection direction;
    GatePresence presence;
    std::vector<std::string> before;  // Names of the programs that run before it.
};

// Of those that need the gate, the gateways' own first.
[[nodiscard]] std::vector<Link> links_that_need_it(std::vector<Link> links,
                                                   const config::Config& config);
// All devices of the node.
[[nodiscard]] Result<std::vector<Link>> links_of_node();
// Gateways' own devices that are not among them.
[[nodiscard]] std::vector<std::string> missing_devices(const config::Config& config,
                                                       const std::vector<Link>& links);

// The programs of the chains; the kernel is asked once for each.
class GatePrograms {
  public:
    struct Program {
        std::string name;
        bool is_gate = false;              // Of whatever version.
        std::optional<AttachedGate> gate;  // Of this version.
        std::uint32_t deadlines = 0;       // Its map's number.
    };
    // nullptr: it has been unloaded meanwhile.
    Result<const Program*> find(std::uint32_t id);

  private:
    static Result<Program> load(std::uint32_t id);

    std::map<std::uint32_t, Program> programs_;
};

// One process's gate, whose map of deadlines is `deadlines`, on the devices.
class GatePlace {
  public:
    GatePlace(GateChain chain, const GateProgram& gate, std::uint32_t deadlines)
        : chain_(std::move(chain)), gate_(gate), deadlines_(deadlines) {}

    // Puts the gate before all other programs, in both directions, if it is not there. Error
    // not_found: the device is gone, busy: somebody keeps it from being first.
    Result<void> stand(const Link& link);
    [[nodiscard]] Result<GateDevice> look(const Link& link, GateDirection direction);

  private:
    Result<void> stand(const Link& link, GateDirection direction);

    GateChain chain_;
    const GateProgram& gate_;
    std::uint32_t deadlines_;
    GatePrograms programs_;
};

// Puts the gate before all other programs, and takes off what other gates there were, and its own
// from a place further back. It is never off meanwhile.
[[nodiscard]] Result<void> put_first(GateChain& chain, GatePrograms& programs,
                                     const GateProgram& gate, const Link& link,
                                     GateDirection direction);

}  // namespace vpnha::adapters
