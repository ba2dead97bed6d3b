// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/gate/gate_place.hpp"

#include <fmt/format.h>
#include <linux/if_arp.h>

#include <algorithm>
#include <utility>

#include "host/gate/hold_pair.hpp"

namespace vpnha::adapters {

namespace {

// The gateways' own devices, each once.
std::vector<std::string> named_devices(const config::Config& config) {
    std::vector<std::string> names;
    for (const config::Gateway& gateway : config.gateways) {
        for (const config::Side* side : {&gateway.outside, &gateway.inside}) {
            if (std::find(names.begin(), names.end(), side->interface) == names.end()) {
                names.push_back(side->interface);
            }
        }
    }
    return names;
}

}  // namespace

bool is_named(const Link& link, const config::Config& config) {
    return std::any_of(config.gateways.begin(), config.gateways.end(),
                       [&link](const config::Gateway& each) { return each.is_on(link.name); });
}

bool needs_gate(const Link& link, const config::Config& config) {
    if (is_named(link, config)) {
        return true;
    }
    // A resumed PPTP call's device counts as a PPP unit.
    const bool is_call = link.kind == "tun" && link.name.starts_with(kCallDevicePrefix);
    // It accepts only packets from the gate.
    const bool is_hold = link.kind == "veth" && link.name.starts_with(kHoldDevicePrefix);
    // An ifb only passes packets that a device has received to that device's stack.
    return link.hardware != ARPHRD_LOOPBACK && link.hardware != ARPHRD_PPP && !is_call &&
           !is_hold && !link.is_port && link.kind != "ifb";
}

Result<std::vector<Link>> links_of_node() {
    VPNHA_TRY(RouteNetlink route, RouteNetlink::open());
    std::vector<Link> links;
    VPNHA_CHECK(route.for_each_link([&links](Link link) { links.push_back(std::move(link)); }));
    return links;
}

std::vector<Link> links_that_need_it(std::vector<Link> links, const config::Config& config) {
    std::erase_if(links, [&config](const Link& link) { return !needs_gate(link, config); });
    const std::vector<std::string> names = named_devices(config);
    const auto place_of = [&names](const Link& link) {
        return std::find(names.begin(), names.end(), link.name) - names.begin();
    };
    std::stable_sort(links.begin(), links.end(), [&place_of](const Link& a, const Link& b) {
        return place_of(a) < place_of(b);
    });
    return links;
}

std::vector<std::string> missing_devices(const config::Config& config,
                                         const std::vector<Link>& links) {
    std::vector<std::string> names = named_devices(config);
    std::erase_if(names, [&links](const std::string& name) {
        return std::any_of(links.begin(), links.end(),
                           [&name](const Link& link) { return link.name == name; });
    });
    return names;
}

Result<const GatePrograms::Program*> GatePrograms::find(std::uint32_t id) {
    const auto known = programs_.find(id);
    if (known != programs_.end()) {
        return &known->second;
    }
    auto loaded = load(id);
    if (!loaded && loaded.error().code == Errc::not_found) {
        return nullptr;
    }
    VPNHA_TRY(Program program, std::move(loaded));
    return &programs_.emplace(id, std::move(program)).first->second;
}

Result<GatePrograms::Program> GatePrograms::load(std::uint32_t id) {
    Program program;
    if (id == 0) {
        program.name = "a filter that is no BPF program";
        return program;
    }
    VPNHA_TRY(const UniqueFd opened, open_program(id));
    VPNHA_TRY(const ProgramInfo info, program_info(opened.get()));
    program.name = fmt::format("{} (program {})", info.name, id);
    auto gate = AttachedGate::open(id);
    if (!gate && gate.error().code == Errc::unsupported) {
        program.is_gate = true;
        return program;
    }
    VPNHA_TRY(program.gate, std::move(gate));
    program.is_gate = program.gate.has_value();
    if (program.gate) {
        VPNHA_TRY(program.deadlines, program.gate->maps().deadline_map());
    }
    return program;
}

Result<GateDevice> GatePlace::look(const Link& link, GateDirection direction) {
    GateDevice device{link.name, direction, GatePresence::missing, {}};
    VPNHA_TRY(const std::vector<LinkFilter> entries, chain_.list(link.state.index, direction));
    for (const LinkFilter& entry : entries) {
        VPNHA_TRY(const GatePrograms::Program* const program, programs_.find(entry.program));
        if (program == nullptr) {
            continue;
        }
        if (program->gate && program->deadlines == deadlines_) {
            device.presence = device.before.empty() ? GatePresence::attached : GatePresence::behind;
            return device;
        }
        if (program->is_gate) {
            device.presence = GatePresence::foreign;
        }
        device.before.push_back(program->name);
    }
    device.before.clear();
    return device;
}

Result<void> GatePlace::stand(const Link& link, GateDirection direction) {
    VPNHA_TRY(const GateDevice before, look(link, direction));
    if (before.presence == GatePresence::attached) {
        return {};
    }
    VPNHA_CHECK(put_first(chain_, programs_, gate_, link, direction));
    VPNHA_TRY(const GateDevice after, look(link, direction));
    return after.presence == GatePresence::attached
               ? Result<void>{}
               : fail(Errc::busy, fmt::format("the gate was attached to {} and is not the first "
                                              "program there; does another program change the "
                                              "device's programs or qdisc?",
                                              link.name));
}

Result<void> GatePlace::stand(const Link& link) {
    Result<void> worst;
    for (const GateDirection direction : kGateDirections) {
        Result<void> outcome = stand(link, direction);
        if (!outcome && worst) {
            worst = std::move(outcome);
        }
    }
    if (worst || worst.error().code == Errc::not_found) {
        return worst;
    }
    // A device that is removed meanwhile is refused for many reasons, and none of them counts.
    VPNHA_TRY(RouteNetlink route, RouteNetlink::open());
    const auto is_there = route.has_link(link.state.index);
    return is_there && !*is_there
               ? fail(Errc::not_found, fmt::format("there is no interface {}", link.name))
               : worst;
}

Result<void> put_first(GateChain& chain, GatePrograms& programs, const GateProgram& gate,
                       const Link& link, GateDirection direction) {
    VPNHA_TRY(const std::vector<LinkFilter> entries, chain.list(link.state.index, direction));
    int program = gate.program(direction);
    VPNHA_TRY(const ProgramInfo own, program_info(program));
    UniqueFd copy;
    if (std::any_of(entries.begin(), entries.end(),
                    [&own](const LinkFilter& entry) { return entry.program == own.id; })) {
        VPNHA_TRY(copy, gate.copy(direction));
        program = copy.get();
    }
    VPNHA_CHECK(chain.put_first(link.state.index, link.name, direction, program));
    for (const LinkFilter& entry : entries) {
        VPNHA_TRY(const GatePrograms::Program* const there, programs.find(entry.program));
        if (there != nullptr && there->is_gate) {
            VPNHA_CHECK(chain.remove(link.state.index, direction, entry));
        }
    }
    return {};
}

}  // namespace vpnha::adapters
