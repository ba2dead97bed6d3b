// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/gate/gate_silence.hpp"

#include <sched.h>

#include <cerrno>
#include <thread>
#include <utility>

#include "host/gate/barred_devices.hpp"
#include "host/gate/gate_abi.h"
#include "host/os/boot_clock.hpp"

namespace vpnha::adapters {

namespace {

// At this moment, in either direction. A device that is gone passes nothing.
Result<bool> lets_pass(GateChain& chain, GatePrograms& programs, LinkIndex link,
                       GatewayId gateway) {
    const auto now = static_cast<std::uint64_t>(boot_time().time_since_epoch().count());
    for (const GateDirection direction : kGateDirections) {
        const auto entries = chain.list(link, direction);
        for (const LinkFilter& entry : entries.value_or(std::vector<LinkFilter>{})) {
            VPNHA_TRY(const GatePrograms::Program* const program, programs.find(entry.program));
            if (program == nullptr || !program->gate) {
                continue;
            }
            VPNHA_TRY(const std::uint64_t deadline, program->gate->maps().deadline(gateway));
            if (deadline > now) {
                return true;
            }
        }
    }
    return false;
}

}  // namespace

Result<bool> GateSilencer::shut(const Link& link, GateDirection direction) {
    VPNHA_TRY(const std::vector<LinkFilter> entries, chain_.list(link.state.index, direction));
    bool is_first = true;
    bool stands = false;
    for (const LinkFilter& entry : entries) {
        VPNHA_TRY(const GatePrograms::Program* const program, programs_.find(entry.program));
        if (program == nullptr) {
            continue;
        }
        if (program->gate) {
            VPNHA_CHECK(shut(*program));
            stands = stands || is_first;
        }
        is_first = false;
    }
    return stands;
}

Result<void> GateSilencer::put_shut_one(const Link& link, GateDirection direction) {
    if (!own_) {
        VPNHA_TRY(GateProgram loaded, GateProgram::load());
        VPNHA_CHECK(loaded.maps().cover(gateway_));
        own_.emplace(std::move(loaded));
    }
    return put_first(chain_, programs_, *own_, link, direction);
}

// All devices of an earlier vpnhad have one map of deadlines.
Result<void> GateSilencer::shut(const GatePrograms::Program& program) {
    if (shut_.contains(program.deadlines)) {
        return {};
    }
    VPNHA_CHECK(program.gate->maps().set_deadline(gateway_.id, VPNHA_GATE_SHUT));
    // Its configuration may be an older one, so its covered addresses are set as well.
    VPNHA_CHECK(program.gate->maps().cover(gateway_));
    shut_.insert(program.deadlines);
    return {};
}

Result<void> silence(const config::Config& config, const config::Gateway& gateway, GateHook hook) {
    VPNHA_TRY(const std::vector<Link> all, links_of_node());
    VPNHA_TRY(GateChain chain, GateChain::open(hook));
    GateSilencer silencer(gateway, std::move(chain));
    std::vector<RefusedDevice> refused;
    for (const Link& link : links_that_need_it(all, config)) {
        Result<void> worst;
        for (const GateDirection direction : kGateDirections) {
            auto outcome = silencer.shut(link, direction).and_then([&](bool stands) {
                return stands ? Result<void>{} : silencer.put_shut_one(link, direction);
            });
            if (!outcome && outcome.error().code != Errc::not_found && worst) {
                worst = std::move(outcome);
            }
        }
        // One device in trouble is no reason to leave the others open.
        if (!worst) {
            refused.push_back({link, worst.error()});
        }
    }
    if (refused.empty()) {
        return {};
    }
    return bar_refused(config, refused, all).worst();
}

Result<bool> is_open(const config::Config& config, const config::Gateway& gateway, GateHook hook) {
    VPNHA_TRY(const std::vector<Link> all, links_of_node());
    VPNHA_TRY(GateChain chain, GateChain::open(hook));
    GatePrograms programs;
    for (const Link& link : links_that_need_it(all, config)) {
        VPNHA_TRY(const bool lets, lets_pass(chain, programs, link.state.index, gateway.id));
        if (lets) {
            return true;
        }
    }
    return false;
}

Result<GateLook> GateLook::create(const config::Gateway& gateway, GateHook hook) {
    VPNHA_TRY(GateChain chain, GateChain::open(hook));
    VPNHA_TRY(RouteNetlink route, RouteNetlink::open());
    return GateLook(gateway, std::move(chain), std::move(route));
}

Result<bool> GateLook::is_open() {
    VPNHA_TRY(const auto link, route_.find_link(gateway_->outside.interface));
    return link ? lets_pass(chain_, programs_, link->index, gateway_->id) : false;
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
        outcome = GateProgram::load().and_then([](const GateProgram& program) -> Result<void> {
            VPNHA_TRY(GateChain chain, GateChain::open(gate_hook_of_kernel()));
            VPNHA_TRY(RouteNetlink route, RouteNetlink::open());
            VPNHA_TRY(const auto lo, route.find_link("lo"));
            const LinkIndex link = lo.value_or(LinkState{}).index;
            for (const GateDirection direction : kGateDirections) {
                VPNHA_CHECK(chain.put_first(link, "lo", direction, program.program(direction)));
            }
            return {};
        });
    }).join();
    return outcome;
}

}  // namespace vpnha::adapters
