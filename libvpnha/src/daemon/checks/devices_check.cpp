// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/checks/devices_check.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "host/gate/barred_devices.hpp"
#include "host/gate/gate_place.hpp"
#include "host/gate/hold_pair.hpp"

namespace vpnha::runtime {

Result<std::vector<DeviceFinding>> find_in_devices(const config::Config& config) {
    // The kernel hides the hooks from other users.
    if (::geteuid() != 0) {
        return fail(Errc::permission, "only root can look at what the devices have");
    }
    VPNHA_TRY(std::vector<DeviceFinding> findings,
              find_in_devices(config, adapters::gate_hook_of_kernel()));
    if (const Result<void> can = adapters::probe_hold(); !can) {
        findings.push_back({false, fmt::format("planned moves to this node lose the packets of "
                                               "about 15 ms: {}",
                                               can.error().detail)});
    }
    return findings;
}

Result<std::vector<DeviceFinding>> find_in_devices(const config::Config& config,
                                                   adapters::GateHook hook) {
    VPNHA_TRY(const std::vector<adapters::Link> all, adapters::links_of_node());
    VPNHA_TRY(const std::vector<adapters::GateHindrance> hindrances,
              adapters::gate_hindrances(config, all, hook));
    std::vector<DeviceFinding> findings;
    for (const adapters::GateHindrance& each : hindrances) {
        const bool is_port = !adapters::needs_gate(each.link, config);
        const char* const what =
            is_port ? "; this concerns it when it leaves its bridge or bond"
            : each.carries_gateway
                ? "; it carries a gateway, and vpnhad does not serve without the gate there"
                : "; it carries no gateway: vpnhad serves, and drops there what comes to the "
                  "gateways' addresses or leaves from them";
        findings.push_back({each.carries_gateway && !is_port, each.reason + what});
    }
    return findings;
}

}  // namespace vpnha::runtime
