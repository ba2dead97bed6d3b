// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/gate/gate.hpp"

#include <fmt/format.h>
#include <linux/if_arp.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/gate/gate_abi.h"
#include "adapters/os/boot_clock.hpp"

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

// Those that need the gate: the gateways' own first, then the others as the kernel lists them.
Result<std::vector<Link>> links_that_need_it(const config::Config& config) {
    VPNHA_TRY(RouteNetlink route, RouteNetlink::open());
    std::vector<Link> links;
    VPNHA_CHECK(route.for_each_link([&](Link link) {
        if (needs_gate(link, config)) {
            links.push_back(std::move(link));
        }
    }));
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

// The programs of the chains; the kernel is asked once for each.
class Programs {
  public:
    struct Program {
        std::string name;
        bool is_gate = false;              // Of whatever version.
        std::optional<AttachedGate> gate;  // Of this version.
        std::uint32_t deadlines = 0;       // Its map's number.
    };
    // nullptr: it has been unloaded meanwhile.
    Result<const Program*> find(std::uint32_t id) {
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

  private:
    static Result<Program> load(std::uint32_t id) {
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

    std::map<std::uint32_t, Program> programs_;
};

// Of the gate whose map of deadlines is `deadlines`.
Result<GateDevice> look(GateChain& chain, Programs& programs, std::uint32_t deadlines,
                        const Link& link, GateDirection direction) {
    GateDevice device{link.name, direction, GatePresence::missing, {}};
    VPNHA_TRY(const std::vector<LinkFilter> entries, chain.list(link.state.index, direction));
    for (const LinkFilter& entry : entries) {
        VPNHA_TRY(const Programs::Program* const program, programs.find(entry.program));
        if (program == nullptr) {
            continue;
        }
        if (program->gate && program->deadlines == deadlines) {
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

// Puts the gate before all other programs, and takes off what other gates there were, and its own
// from a place further back. It is never off meanwhile.
Result<void> put_first(GateChain& chain, Programs& programs, const GateProgram& gate,
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
        VPNHA_TRY(const Programs::Program* const there, programs.find(entry.program));
        if (there != nullptr && there->is_gate) {
            VPNHA_CHECK(chain.remove(link.state.index, direction, entry));
        }
    }
    return {};
}

Result<void> stand(GateChain& chain, Programs& programs, const GateProgram& gate,
                   std::uint32_t deadlines, const Link& link) {
    Result<void> worst;
    for (const GateDirection direction : kGateDirections) {
        const auto stand_there = [&]() -> Result<void> {
            VPNHA_TRY(const GateDevice before, look(chain, programs, deadlines, link, direction));
            if (before.presence == GatePresence::attached) {
                return {};
            }
            VPNHA_CHECK(put_first(chain, programs, gate, link, direction));
            VPNHA_TRY(const GateDevice after, look(chain, programs, deadlines, link, direction));
            return after.presence == GatePresence::attached
                       ? Result<void>{}
                       : fail(Errc::busy,
                              fmt::format("the gate was attached to {} and is not the first "
                                          "program there; does somebody else change the "
                                          "device's programs or qdisc?",
                                          link.name));
        };
        Result<void> outcome = stand_there();
        if (!outcome && worst) {
            worst = std::move(outcome);
        }
    }
    return worst;
}

std::uint64_t to_kernel(TimePoint deadline) {
    const auto since_boot = deadline.time_since_epoch().count();
    return since_boot <= 0 ? VPNHA_GATE_SHUT : static_cast<std::uint64_t>(since_boot);
}

// Silences one gateway without the process that attached the gates.
class Silencer {
  public:
    Silencer(const config::Gateway& gateway, GateChain chain)
        : gateway_(gateway), chain_(std::move(chain)) {}

    // Shuts the gates that are there. False: there is none, or it is not the first program.
    Result<bool> shut(const Link& link, GateDirection direction) {
        VPNHA_TRY(const std::vector<LinkFilter> entries, chain_.list(link.state.index, direction));
        bool is_first = true;
        bool stands = false;
        for (const LinkFilter& entry : entries) {
            VPNHA_TRY(const Programs::Program* const program, programs_.find(entry.program));
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
    Result<void> put_shut_one(const Link& link, GateDirection direction) {
        if (!own_) {
            VPNHA_TRY(GateProgram loaded, GateProgram::load());
            VPNHA_CHECK(loaded.maps().cover(gateway_));
            own_.emplace(std::move(loaded));
        }
        return put_first(chain_, programs_, *own_, link, direction);
    }

  private:
    // All devices of an earlier vpnhad have one map of deadlines.
    Result<void> shut(const Programs::Program& program) {
        if (shut_.contains(program.deadlines)) {
            return {};
        }
        VPNHA_CHECK(program.gate->maps().set_deadline(gateway_.id, VPNHA_GATE_SHUT));
        // Its configuration may be an older one, so it is told what to cover as well.
        VPNHA_CHECK(program.gate->maps().cover(gateway_));
        shut_.insert(program.deadlines);
        return {};
    }

    const config::Gateway& gateway_;
    GateChain chain_;
    Programs programs_;
    std::set<std::uint32_t> shut_;
    std::optional<GateProgram> own_;
};

}  // namespace

bool is_named(const Link& link, const config::Config& config) {
    return std::any_of(config.gateways.begin(), config.gateways.end(),
                       [&link](const config::Gateway& each) { return each.is_on(link.name); });
}

bool needs_gate(const Link& link, const config::Config& config) {
    if (is_named(link, config)) {
        return true;
    }
    // A resumed PPTP call's device is as good as a PPP unit.
    const bool is_call = link.kind == "tun" && link.name.starts_with(kCallDevicePrefix);
    // An ifb carries what a device has received to that device's stack, and nothing else.
    return link.hardware != ARPHRD_LOOPBACK && link.hardware != ARPHRD_PPP && !is_call &&
           !link.is_port && link.kind != "ifb";
}

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
    VPNHA_TRY(const std::vector<Link> links, links_that_need_it(*config_));
    VPNHA_TRY(const std::set<LinkIndex> kept, shut_earlier(*found, links));
    VPNHA_TRY(GateChain chain, GateChain::open(hook_));
    Programs programs;
    Result<void> worst;
    for (const Link& link : links) {
        if (kept.contains(link.state.index)) {
            continue;
        }
        Result<void> outcome = stand(chain, programs, program_, deadlines_, link);
        // One device in trouble is no reason to leave the others open; by one that has gone
        // meanwhile nothing passes.
        if (!outcome && outcome.error().code != Errc::not_found && worst) {
            worst = std::move(outcome);
        }
    }
    VPNHA_CHECK(worst);
    for (const std::string& name : missing_devices(*config_, links)) {
        if (found->is_on(name)) {
            return fail(Errc::not_found, fmt::format("there is no interface {}", name));
        }
    }
    attached_.insert(gateway);
    return {};
}

Result<std::set<LinkIndex>> BpfGate::shut_earlier(const config::Gateway& gateway,
                                                  const std::vector<Link>& links) const {
    std::set<LinkIndex> kept;
    if (attached_.contains(gateway.id)) {
        return kept;
    }
    VPNHA_TRY(GateChain chain, GateChain::open(hook_));
    Silencer silencer(gateway, std::move(chain));
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
    return program_.maps().drops(gateway);
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
    VPNHA_TRY(GateChain chain, GateChain::open(hook_));
    Programs programs;
    return stand(chain, programs, program_, deadlines_, link);
}

Result<void> BpfGate::leave(const Link& link) {
    VPNHA_TRY(GateChain chain, GateChain::open(hook_));
    Programs programs;
    for (const GateDirection direction : kGateDirections) {
        VPNHA_TRY(const std::vector<LinkFilter> entries, chain.list(link.state.index, direction));
        for (const LinkFilter& entry : entries) {
            VPNHA_TRY(const Programs::Program* const program, programs.find(entry.program));
            if (program != nullptr && program->is_gate) {
                VPNHA_CHECK(chain.remove(link.state.index, direction, entry));
            }
        }
    }
    return {};
}

Result<std::vector<GateDevice>> BpfGate::look_at(const Link& link) const {
    VPNHA_TRY(GateChain chain, GateChain::open(hook_));
    Programs programs;
    std::vector<GateDevice> found;
    for (const GateDirection direction : kGateDirections) {
        VPNHA_TRY(GateDevice device, look(chain, programs, deadlines_, link, direction));
        found.push_back(std::move(device));
    }
    return found;
}

Result<std::vector<GateDevice>> BpfGate::devices() const {
    VPNHA_TRY(const std::vector<Link> links, links_that_need_it(*config_));
    VPNHA_TRY(GateChain chain, GateChain::open(hook_));
    Programs programs;
    std::vector<GateDevice> found;
    for (const Link& link : links) {
        for (const GateDirection direction : kGateDirections) {
            VPNHA_TRY(GateDevice device, look(chain, programs, deadlines_, link, direction));
            found.push_back(std::move(device));
        }
    }
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

Result<void> silence(const config::Config& config, const config::Gateway& gateway, GateHook hook) {
    VPNHA_TRY(const std::vector<Link> links, links_that_need_it(config));
    VPNHA_TRY(GateChain chain, GateChain::open(hook));
    Silencer silencer(gateway, std::move(chain));
    Result<void> worst;
    for (const Link& link : links) {
        for (const GateDirection direction : kGateDirections) {
            auto outcome = silencer.shut(link, direction).and_then([&](bool stands) {
                return stands ? Result<void>{} : silencer.put_shut_one(link, direction);
            });
            // One device in trouble is no reason to leave the others open.
            if (!outcome && outcome.error().code != Errc::not_found && worst) {
                worst = std::move(outcome);
            }
        }
    }
    return worst;
}

Result<bool> is_open(const config::Config& config, const config::Gateway& gateway, GateHook hook) {
    VPNHA_TRY(const std::vector<Link> links, links_that_need_it(config));
    VPNHA_TRY(GateChain chain, GateChain::open(hook));
    Programs programs;
    for (const Link& link : links) {
        for (const GateDirection direction : kGateDirections) {
            const auto entries = chain.list(link.state.index, direction);
            for (const LinkFilter& entry : entries.value_or(std::vector<LinkFilter>{})) {
                VPNHA_TRY(const Programs::Program* const program, programs.find(entry.program));
                if (program == nullptr || !program->gate) {
                    continue;
                }
                VPNHA_TRY(const std::uint64_t deadline, program->gate->maps().deadline(gateway.id));
                if (deadline > to_kernel(boot_time())) {
                    return true;
                }
            }
        }
    }
    return false;
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
