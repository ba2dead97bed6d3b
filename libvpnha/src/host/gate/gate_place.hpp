// SPDX-License-Identifier: GPL-2.0-or-later
// The place of the gate: on which devices of the node, and before which other programs.
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

// Whether a device has to have the gate: the node's IP stack receives by it. Not lo, and not a port
// of a bridge or bond, because the bridge or bond receives instead. PPP units have none: the kernel
// answers no ARP there, a node has thousands, and a session's packets have passed the gate of
// another device. The same applies to TUN devices with the prefix of resumed PPTP calls, and to
// hold devices of planned moves. The gateways' own devices have it whatever they are.
inline constexpr std::string_view kCallDevicePrefix = "vpnp-";
[[nodiscard]] bool needs_gate(const Link& link, const config::Config& config);

// Whether it is a gateway's own.
[[nodiscard]] bool is_named(const Link& link, const config::Config& config);

// The position of the program on a device, as the kernel reports it.
enum class GatePresence {
    attached,   // It runs before all others.
    behind,     // Another program runs before it, and may pass what it would drop.
    missing,    // The device is there, and lets everything pass.
    foreign,    // Another process's gate is there, with other deadlines than this one's.
    barred,     // It is not the first program there, and the device is barred.
    no_device,  // Nothing passes either.
};

struct GateDevice {
    std::string interface;
    GateDirection direction;
    GatePresence presence;
    std::vector<std::string> before;  // Names of the programs that run before it.
};

// Those that need the gate, the gateways' own first.
[[nodiscard]] std::vector<Link> links_that_need_it(std::vector<Link> links,
                                                   const config::Config& config);
// All devices of the node.
[[nodiscard]] Result<std::vector<Link>> links_of_node();
// Gateways' own devices that are not among them.
[[nodiscard]] std::vector<std::string> missing_devices(const config::Config& config,
                                                       const std::vector<Link>& links);

// The programs of the chains; the kernel is queried once for each.
class GatePrograms {
  public:
    struct Program {
        std::string name;
        bool is_gate = false;              // Of any version.
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
    // not_found: the device is gone; busy: another program keeps it from being first.
    Result<void> stand(const Link& link);
    [[nodiscard]] Result<GateDevice> look(const Link& link, GateDirection direction);

  private:
    Result<void> stand(const Link& link, GateDirection direction);

    GateChain chain_;
    const GateProgram& gate_;
    std::uint32_t deadlines_;
    GatePrograms programs_;
};

// Puts the gate before all other programs, and removes other gates, and its own from a later place.
// The device is never without it meanwhile.
[[nodiscard]] Result<void> put_first(GateChain& chain, GatePrograms& programs,
                                     const GateProgram& gate, const Link& link,
                                     GateDirection direction);

}  // namespace vpnha::adapters
