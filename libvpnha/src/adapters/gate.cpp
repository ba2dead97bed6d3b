// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/gate.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <cerrno>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/gate/gate_abi.h"

namespace vpnha::adapters {

namespace {

// Both sides may lie on one device.
std::vector<std::string> devices_of(const config::Gateway& gateway) {
    std::vector<std::string> devices{gateway.outside.interface};
    if (gateway.inside.interface != gateway.outside.interface) {
        devices.push_back(gateway.inside.interface);
    }
    return devices;
}

Result<GatePresence> presence_of(int program, const std::string& interface,
                                 GateDirection direction) {
    const auto attached = AttachedGate::find(interface, direction);
    if (attached && *attached) {
        VPNHA_TRY(const std::uint32_t ours, program_id(program));
        VPNHA_TRY(const std::uint32_t there, program_id((*attached)->program()));
        return ours == there ? GatePresence::attached : GatePresence::foreign;
    }
    if (attached) {
        return GatePresence::missing;
    }
    if (attached.error().code == Errc::not_found) {
        return GatePresence::no_device;
    }
    if (attached.error().code == Errc::unsupported) {
        return GatePresence::foreign;
    }
    return tl::unexpected(attached.error());
}

std::uint64_t to_kernel(TimePoint deadline) {
    const auto since_boot = deadline.time_since_epoch().count();
    return since_boot <= 0 ? VPNHA_GATE_SHUT : static_cast<std::uint64_t>(since_boot);
}

// A gate that is there already, of an earlier vpnhad or of silence(), goes silent for the gateway.
// False when there is none, or one of another version, whose place is to be taken.
Result<bool> silence_attached(const config::Gateway& gateway, const std::string& interface,
                              GateDirection direction) {
    auto attached = AttachedGate::find(interface, direction);
    if (!attached && attached.error().code == Errc::unsupported) {
        return false;
    }
    VPNHA_TRY(const auto found, std::move(attached));
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
    Result<void> worst;
    for (const std::string& interface : devices_of(*found)) {
        for (const GateDirection direction : kGateDirections) {
            auto outcome = program_.attach(interface, direction);
            // One device in trouble, or gone, is no reason to leave the others open.
            if (!outcome && (worst || worst.error().code == Errc::not_found)) {
                worst = std::move(outcome);
            }
        }
    }
    VPNHA_CHECK(worst);
    // What was attached last may have taken the place of what came before it.
    VPNHA_CHECK(stands_on_all(*found));
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

Result<void> BpfGate::stands_on_all(const config::Gateway& gateway) const {
    for (const std::string& interface : devices_of(gateway)) {
        for (const GateDirection direction : kGateDirections) {
            VPNHA_TRY(const GatePresence presence,
                      presence_of(program_.program(direction), interface, direction));
            if (presence != GatePresence::attached) {
                return fail(Errc::busy,
                            fmt::format("the gate was attached to {} and is not there; does "
                                        "somebody else change the device's qdisc?",
                                        interface));
            }
        }
    }
    return {};
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
    return program_.maps().drops(gateway);
}

Result<void> BpfGate::allow_endings(GatewayId gateway, bool meant) {
    return program_.maps().allow_endings(gateway, meant);
}

Result<GateState> BpfGate::state(GatewayId gateway) const {
    const config::Gateway* const found = config_->find(gateway);
    if (found == nullptr) {
        return fail(Errc::not_found, fmt::format("there is no gateway {}", gateway.value));
    }
    GateState state;
    VPNHA_TRY(state.deadline, deadline(gateway));
    VPNHA_TRY(state.covered, program_.maps().covered(gateway));
    VPNHA_TRY(state.drops, counters(gateway));
    for (const std::string& interface : devices_of(*found)) {
        for (const GateDirection direction : kGateDirections) {
            VPNHA_TRY(const GatePresence presence,
                      presence_of(program_.program(direction), interface, direction));
            state.devices.push_back({interface, direction, presence});
        }
    }
    return state;
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

Result<void> probe_gate() {
    Result<void> outcome;
    // A namespace is a thread's; this one ends with it.
    std::thread([&outcome] {
        if (unshare(CLONE_NEWNET) != 0) {
            outcome = errno == EPERM
                          ? fail(Errc::permission,
                                 "only root can look whether this kernel has "
                                 "what the gate needs")
                          : tl::unexpected(system_error("make a network namespace", errno));
            return;
        }
        outcome = GateProgram::load().and_then([](const GateProgram& program) {
            return program.attach("lo", GateDirection::in).and_then([&program] {
                return program.attach("lo", GateDirection::out);
            });
        });
    }).join();
    return outcome;
}

}  // namespace vpnha::adapters
