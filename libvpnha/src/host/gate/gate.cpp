// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/gate/gate.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "host/gate/barred_devices.hpp"
#include "host/gate/gate_abi.h"
#include "host/gate/gate_silence.hpp"

namespace vpnha::adapters {

namespace {

std::uint64_t to_kernel(TimePoint deadline) {
    const auto since_boot = deadline.time_since_epoch().count();
    return since_boot <= 0 ? VPNHA_GATE_SHUT : static_cast<std::uint64_t>(since_boot);
}

}  // namespace

Result<BpfGate> BpfGate::create(const config::Config& config, GateHook hook) {
    VPNHA_TRY(GateProgram program, GateProgram::load());
    for (const config::Gateway& gateway : config.gateways) {
        VPNHA_CHECK(program.maps().cover(gateway));
    }
    VPNHA_TRY(const std::uint32_t deadlines, program.maps().deadline_map());
    return BpfGate(config, hook, std::move(program), deadlines);
}

Result<void> BpfGate::attach(GatewayId gateway) {
    const config::Gateway* const found = config_->find(gateway);
    if (found == nullptr) {
        return fail(Errc::not_found, fmt::format("there is no gateway {}", gateway.value));
    }
    VPNHA_TRY(const std::vector<Link> all, links_of_node());
    const std::vector<Link> links = links_that_need_it(all, *config_);
    VPNHA_TRY(const std::set<LinkIndex> kept, shut_earlier(*found, links));
    VPNHA_TRY(GatePlace place, this->place());
    std::vector<RefusedDevice> refused;
    for (const Link& link : links) {
        if (kept.contains(link.state.index)) {
            continue;
        }
        const Result<void> outcome = place.stand(link);
        // One device in trouble is no reason to leave the others open; a device that has gone
        // meanwhile passes nothing.
        if (!outcome && outcome.error().code != Errc::not_found) {
            refused.push_back({link, outcome.error()});
        }
    }
    VPNHA_CHECK(bar(refused, all));
    for (const std::string& name : missing_devices(*config_, links)) {
        if (found->is_on(name)) {
            return fail(Errc::not_found, fmt::format("there is no interface {}", name));
        }
    }
    if (attached_.insert(gateway).second) {
        prepare_holding(gateway);
    }
    return {};
}

Result<GatePlace> BpfGate::place() const {
    VPNHA_TRY(GateChain chain, GateChain::open(hook_));
    return GatePlace(std::move(chain), program_, deadlines_);
}

// Devices that an earlier vpnhad has barred need not be barred any more.
Result<void> BpfGate::bar(const std::vector<RefusedDevice>& refused, const std::vector<Link>& all) {
    const auto earlier = barred_devices();
    if (refused.empty() && earlier && earlier->empty()) {
        return {};
    }
    return bar_refused(*config_, refused, all).worst();
}

Result<std::set<LinkIndex>> BpfGate::shut_earlier(const config::Gateway& gateway,
                                                  const std::vector<Link>& links) const {
    std::set<LinkIndex> kept;
    if (attached_.contains(gateway.id)) {
        return kept;
    }
    VPNHA_TRY(GateChain chain, GateChain::open(hook_));
    GateSilencer silencer(gateway, std::move(chain));
    for (const Link& link : links) {
        bool stands = true;
        for (const GateDirection direction : kGateDirections) {
            auto shut = silencer.shut(link, direction);
            if (!shut && shut.error().code == Errc::not_found) {
                continue;
            }
            VPNHA_TRY(const bool stands_there, std::move(shut));
            stands = stands && stands_there;
        }
        if (stands && !is_named(link, *config_)) {
            kept.insert(link.state.index);
        }
    }
    return kept;
}

Result<void> BpfGate::open_until(GatewayId gateway, TimePoint deadline) {
    if (!attached_.contains(gateway)) {
        return fail(Errc::not_found,
                    fmt::format("the gate of gateway {} is not attached", gateway.value));
    }
    return program_.maps().set_deadline(gateway, to_kernel(deadline));
}

Result<void> BpfGate::shut(GatewayId gateway) {
    VPNHA_CHECK(program_.maps().set_deadline(gateway, VPNHA_GATE_SHUT));
    return discard(gateway);
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
    VPNHA_TRY(ports::GateCounters counters, program_.maps().drops(gateway));
    VPNHA_TRY(counters.moved, program_.maps().moved(gateway));
    return counters;
}

Result<void> BpfGate::allow_end(Ipv4Address vip, const Ipv4Endpoint& peer, bool meant) {
    return program_.maps().allow_end(vip, peer, meant);
}

Result<void> BpfGate::hold_esp(GatewayId, const std::vector<std::uint32_t>& spis, bool held) {
    return program_.maps().hold_esp(spis, held);
}

Result<void> BpfGate::drain(GatewayId gateway, bool drained) {
    return program_.maps().drain(gateway.value, drained);
}

Result<void> BpfGate::drain_all(bool drained) {
    return program_.maps().drain(VPNHA_GATE_ALL, drained);
}

Result<void> BpfGate::stand_on(const Link& link) {
    VPNHA_TRY(GatePlace place, this->place());
    return place.stand(link);
}

Result<void> BpfGate::leave(const Link& link) {
    VPNHA_TRY(GateChain chain, GateChain::open(hook_));
    GatePrograms programs;
    for (const GateDirection direction : kGateDirections) {
        VPNHA_TRY(const std::vector<LinkFilter> entries, chain.list(link.state.index, direction));
        for (const LinkFilter& entry : entries) {
            VPNHA_TRY(const GatePrograms::Program* const program, programs.find(entry.program));
            if (program != nullptr && program->is_gate) {
                VPNHA_CHECK(chain.remove(link.state.index, direction, entry));
            }
        }
    }
    return {};
}

Result<std::vector<GateDevice>> BpfGate::look_at(const std::vector<Link>& links) const {
    VPNHA_TRY(GatePlace place, this->place());
    std::vector<GateDevice> found;
    std::optional<std::set<LinkIndex>> barred;  // Read where it matters.
    for (const Link& link : links) {
        for (const GateDirection direction : kGateDirections) {
            VPNHA_TRY(GateDevice device, place.look(link, direction));
            if (device.presence != GatePresence::attached) {
                if (!barred) {
                    // Without nftables no device is barred.
                    barred = barred_devices().value_or(std::set<LinkIndex>{});
                }
                if (barred->contains(link.state.index)) {
                    device.presence = GatePresence::barred;
                }
            }
            found.push_back(std::move(device));
        }
    }
    return found;
}

Result<std::vector<GateDevice>> BpfGate::devices() const {
    VPNHA_TRY(std::vector<Link> all, links_of_node());
    const std::vector<Link> links = links_that_need_it(std::move(all), *config_);
    VPNHA_TRY(std::vector<GateDevice> found, look_at(links));
    for (const std::string& name : missing_devices(*config_, links)) {
        for (const GateDirection direction : kGateDirections) {
            found.push_back({name, direction, GatePresence::no_device, {}});
        }
    }
    return found;
}

Result<GateState> BpfGate::state(GatewayId gateway) const {
    if (config_->find(gateway) == nullptr) {
        return fail(Errc::not_found, fmt::format("there is no gateway {}", gateway.value));
    }
    GateState state;
    VPNHA_TRY(state.deadline, deadline(gateway));
    VPNHA_TRY(state.covered, program_.maps().covered(gateway));
    VPNHA_TRY(state.drops, counters(gateway));
    return state;
}

}  // namespace vpnha::adapters
