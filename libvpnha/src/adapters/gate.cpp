// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/gate.hpp"

#include <fmt/format.h>

#include <array>
#include <string>
#include <utility>

#include "adapters/gate/gate_abi.h"

namespace vpnha::adapters {

namespace {

// Both sides may lie on one device; the second attachment then replaces the first by itself.
std::array<std::string, 2> devices_of(const config::Gateway& gateway) {
    return {gateway.outside.interface, gateway.inside.interface};
}

std::uint64_t to_kernel(TimePoint deadline) {
    const auto since_boot = deadline.time_since_epoch().count();
    return since_boot <= 0 ? VPNHA_GATE_SHUT : static_cast<std::uint64_t>(since_boot);
}

// A gate that is there already, of an earlier vpnhad or of silence(), goes silent for the gateway.
// False when there is none.
Result<bool> silence_attached(const config::Gateway& gateway, const std::string& interface,
                              GateDirection direction) {
    VPNHA_TRY(const auto found, AttachedGate::find(interface, direction));
    if (!found) {
        return false;
    }
    VPNHA_CHECK(found->maps().set_deadline(gateway.id, VPNHA_GATE_SHUT));
    // Its configuration may be an older one, so it is told what to cover as well.
    VPNHA_CHECK(found->maps().cover(gateway));
    return true;
}

Result<void> silence_device(const config::Gateway& gateway, const std::string& interface,
                            GateDirection direction) {
    VPNHA_TRY(const bool silent, silence_attached(gateway, interface, direction));
    if (silent) {
        return {};
    }
    VPNHA_TRY(const GateProgram program, GateProgram::load());
    VPNHA_CHECK(program.maps().cover(gateway));
    return program.attach(interface, direction);
}

}  // namespace

Result<BpfGate> BpfGate::create(const config::Config& config) {
    VPNHA_TRY(GateProgram program, GateProgram::load());
    for (const config::Gateway& gateway : config.gateways) {
        VPNHA_CHECK(program.maps().cover(gateway));
    }
    return BpfGate(config, std::move(program));
}

Result<void> BpfGate::attach(GatewayId gateway) {
    const config::Gateway* const found = config_->find(gateway);
    if (found == nullptr) {
        return fail(Errc::not_found, fmt::format("there is no gateway {}", gateway.value));
    }
    if (!attached_.contains(gateway)) {
        // An earlier vpnhad may have died with its gate open. It is shut on all devices before the
        // first one changes hands, so that no half of it stays open if this fails.
        VPNHA_CHECK(silence(*found));
    }
    for (const std::string& interface : devices_of(*found)) {
        for (const GateDirection direction : kGateDirections) {
            VPNHA_CHECK(program_.attach(interface, direction));
        }
    }
    attached_.insert(gateway);
    return {};
}

Result<void> BpfGate::open_until(GatewayId gateway, TimePoint deadline) {
    if (!attached_.contains(gateway)) {
        return fail(Errc::not_found,
                    fmt::format("the gate of gateway {} is not attached", gateway.value));
    }
    return program_.maps().set_deadline(gateway, to_kernel(deadline));
}

Result<void> BpfGate::shut(GatewayId gateway) {
    return program_.maps().set_deadline(gateway, VPNHA_GATE_SHUT);
}

Result<std::optional<TimePoint>> BpfGate::deadline(GatewayId gateway) const {
    if (!attached_.contains(gateway)) {
        return std::nullopt;
    }
    VPNHA_TRY(const std::uint64_t value, program_.maps().deadline(gateway));
    if (value == VPNHA_GATE_SHUT) {
        return std::nullopt;
    }
    return TimePoint(Duration(static_cast<Duration::rep>(value)));
}

Result<ports::GateCounters> BpfGate::counters(GatewayId gateway) const {
    VPNHA_TRY(const std::uint64_t in, program_.maps().drops(gateway, GateDirection::in));
    VPNHA_TRY(const std::uint64_t out, program_.maps().drops(gateway, GateDirection::out));
    return ports::GateCounters{in, out};
}

Result<void> silence(const config::Gateway& gateway) {
    Result<void> worst;
    for (const std::string& interface : devices_of(gateway)) {
        for (const GateDirection direction : kGateDirections) {
            auto outcome = silence_device(gateway, interface, direction);
            // One device in trouble is no reason to leave the others open.
            if (!outcome && outcome.error().code != Errc::not_found && worst) {
                worst = std::move(outcome);
            }
        }
    }
    return worst;
}

}  // namespace vpnha::adapters
