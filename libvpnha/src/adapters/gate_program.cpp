// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/gate_program.hpp"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <net/if.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/gate/gate_abi.h"
#include "gate.skel.h"

namespace vpnha::adapters {

namespace {

// Ahead of any filter that takes the kernel's automatic priorities (49152 downwards); the handle
// ("gate" in ASCII) tells ours from a neighbour's at the same priority.
constexpr std::uint32_t kFilterPriority = 1;
constexpr std::uint32_t kFilterHandle = 0x67617465;
// Maps of one program; ours has three and libbpf may add one for constants.
constexpr std::size_t kProgramMapsMax = 8;

// libbpf's words go nowhere by default: what matters is in the Error. It warns of a clsact that
// exists already and of a filter that does not, both of which are no faults here.
void silence_libbpf() {
    static const auto kPrevious = libbpf_set_print(nullptr);
    static_cast<void>(kPrevious);
}

bpf_tc_hook hook_of(int link, GateDirection direction) {
    bpf_tc_hook hook{};
    hook.sz = sizeof hook;
    hook.ifindex = link;
    hook.attach_point = direction == GateDirection::in ? BPF_TC_INGRESS : BPF_TC_EGRESS;
    return hook;
}

bpf_tc_opts filter_options() {
    bpf_tc_opts options{};
    options.sz = sizeof options;
    options.handle = kFilterHandle;
    options.priority = kFilterPriority;
    return options;
}

Result<int> link_of(const std::string& interface) {
    const unsigned link = if_nametoindex(interface.c_str());
    if (link == 0) {
        return fail(Errc::not_found, fmt::format("there is no interface {}", interface));
    }
    return static_cast<int>(link);
}

Result<void> cover_prefix(int map, const Ipv4Prefix& prefix, GatewayId gateway) {
    const vpnha_gate_prefix key{prefix.length, htonl(prefix.address.value)};
    const std::uint32_t value = gateway.value;
    if (bpf_map_update_elem(map, &key, &value, BPF_ANY) != 0) {
        return tl::unexpected(
            system_error(fmt::format("cover {} by the gate", to_string(prefix)), errno));
    }
    return {};
}

}  // namespace

Result<void> GateMaps::cover(const config::Gateway& gateway) const {
    for (const config::Side* side : {&gateway.outside, &gateway.inside}) {
        for (const Ipv4Prefix& vip : side->addresses) {
            VPNHA_CHECK(cover_prefix(covered_, {vip.address, 32}, gateway.id));
        }
    }
    for (const Ipv4Prefix& pool : gateway.l2tp.pools) {
        VPNHA_CHECK(cover_prefix(covered_, pool, gateway.id));
    }
    return cover_prefix(covered_, {gateway.l2tp.ppp_local, 32}, gateway.id);
}

Result<void> GateMaps::set_deadline(GatewayId gateway, std::uint64_t deadline_ns) const {
    const std::uint32_t key = gateway.value;
    if (bpf_map_update_elem(deadline_, &key, &deadline_ns, BPF_ANY) != 0) {
        return tl::unexpected(system_error("set the gate's deadline", errno));
    }
    return {};
}

Result<std::uint64_t> GateMaps::deadline(GatewayId gateway) const {
    const std::uint32_t key = gateway.value;
    std::uint64_t value = VPNHA_GATE_SHUT;
    if (bpf_map_lookup_elem(deadline_, &key, &value) != 0) {
        return tl::unexpected(system_error("read the gate's deadline", errno));
    }
    return value;
}

Result<std::uint64_t> GateMaps::drops(GatewayId gateway, GateDirection direction) const {
    const int processors = libbpf_num_possible_cpus();
    if (processors < 0) {
        return tl::unexpected(system_error("count the processors", -processors));
    }
    std::vector<std::uint64_t> per_processor(static_cast<std::size_t>(processors));
    const std::uint32_t key =
        gateway.value * VPNHA_GATE_DIRECTIONS + static_cast<std::uint32_t>(direction);
    if (bpf_map_lookup_elem(drops_, &key, per_processor.data()) != 0) {
        return tl::unexpected(system_error("read the gate's counters", errno));
    }
    std::uint64_t sum = 0;
    for (const std::uint64_t count : per_processor) {
        sum += count;
    }
    return sum;
}

GateProgram::GateProgram(vpnha_gate* program) : program_(program) {}
GateProgram::GateProgram(GateProgram&&) noexcept = default;
GateProgram& GateProgram::operator=(GateProgram&&) noexcept = default;
GateProgram::~GateProgram() = default;

void GateProgram::Destroy::operator()(vpnha_gate* program) const {
    vpnha_gate__destroy(program);
}

Result<GateProgram> GateProgram::load() {
    silence_libbpf();
    GateProgram program(vpnha_gate__open());
    if (!program.program_) {
        return tl::unexpected(system_error("open the gate's BPF program", errno));
    }
    if (const int error = vpnha_gate__load(program.program_.get()); error != 0) {
        return tl::unexpected(
            system_error("load the gate's BPF program (needs CAP_BPF, "
                         "CAP_NET_ADMIN and CONFIG_BPF_SYSCALL)",
                         -error));
    }
    return program;
}

Result<void> GateProgram::attach(const std::string& interface, GateDirection direction) const {
    VPNHA_TRY(const int link, link_of(interface));
    bpf_tc_hook hook = hook_of(link, direction);
    if (const int error = bpf_tc_hook_create(&hook); error != 0 && error != -EEXIST) {
        return tl::unexpected(system_error(fmt::format("add clsact to {}", interface), -error));
    }
    bpf_tc_opts options = filter_options();
    options.flags = BPF_TC_F_REPLACE;
    options.prog_fd = bpf_program__fd(direction == GateDirection::in ? program_->progs.gate_in
                                                                     : program_->progs.gate_out);
    if (const int error = bpf_tc_attach(&hook, &options); error != 0) {
        return tl::unexpected(
            system_error(fmt::format("attach the gate to {} (is another kind of filter at "
                                     "priority {}?)",
                                     interface, kFilterPriority),
                         -error));
    }
    return {};
}

GateMaps GateProgram::maps() const {
    return {bpf_map__fd(program_->maps.covered4), bpf_map__fd(program_->maps.deadline),
            bpf_map__fd(program_->maps.drops)};
}

Result<std::optional<AttachedGate>> AttachedGate::find(const std::string& interface,
                                                       GateDirection direction) {
    silence_libbpf();
    VPNHA_TRY(const int link, link_of(interface));
    const bpf_tc_hook hook = hook_of(link, direction);
    bpf_tc_opts options = filter_options();
    if (const int error = bpf_tc_query(&hook, &options); error != 0) {
        // ENOENT: no filter of ours; EINVAL: no clsact at all.
        if (error == -ENOENT || error == -EINVAL) {
            return std::nullopt;
        }
        return tl::unexpected(
            system_error(fmt::format("look for a gate on {}", interface), -error));
    }
    AttachedGate gate;
    gate.program_.reset(bpf_prog_get_fd_by_id(options.prog_id));
    std::array<std::uint32_t, kProgramMapsMax> ids{};
    bpf_prog_info info{};
    info.nr_map_ids = static_cast<std::uint32_t>(ids.size());
    info.map_ids = reinterpret_cast<std::uintptr_t>(ids.data());
    std::uint32_t info_bytes = sizeof info;
    if (!gate.program_ || bpf_obj_get_info_by_fd(gate.program_.get(), &info, &info_bytes) != 0) {
        return tl::unexpected(system_error("open the attached gate", errno));
    }
    for (std::size_t i = 0; i < info.nr_map_ids && i < ids.size(); ++i) {
        UniqueFd map(bpf_map_get_fd_by_id(ids[i]));
        bpf_map_info map_info{};
        std::uint32_t map_info_bytes = sizeof map_info;
        if (!map || bpf_obj_get_info_by_fd(map.get(), &map_info, &map_info_bytes) != 0) {
            return tl::unexpected(system_error("open a map of the attached gate", errno));
        }
        const std::string_view name = map_info.name;
        if (name == "covered4") {
            gate.covered_ = std::move(map);
        } else if (name == "deadline") {
            gate.deadline_ = std::move(map);
        } else if (name == "drops") {
            gate.drops_ = std::move(map);
        }
    }
    if (!gate.covered_ || !gate.deadline_ || !gate.drops_) {
        return fail(Errc::unsupported,
                    fmt::format("the filter on {} is no gate of this version", interface));
    }
    return gate;
}

GateMaps AttachedGate::maps() const {
    return {covered_.get(), deadline_.get(), drops_.get()};
}

}  // namespace vpnha::adapters
