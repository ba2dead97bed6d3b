// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/gate_program.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/gate/gate_abi.h"
#include "adapters/netlink_route.hpp"
#include "gate.skel.h"

namespace vpnha::adapters {

namespace {

// Ahead of any filter that takes the kernel's automatic priorities (49152 downwards); the handle
// ("gate" in ASCII) tells ours from a neighbour's at the same priority.
constexpr std::uint32_t kFilterPriority = 1;
constexpr std::uint32_t kFilterHandle = 0x67617465;
// Maps of one program; ours has five and libbpf may add one for constants.
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
    if (link == 0 && errno != ENODEV) {
        return tl::unexpected(system_error(fmt::format("find interface {}", interface), errno));
    }
    if (link == 0) {
        return fail(Errc::not_found, fmt::format("there is no interface {}", interface));
    }
    return static_cast<int>(link);
}

// What the kernel lacks, from the error that it gave. libbpf and netlink both say so by ENOENT or
// EINVAL where a module is missing.
tl::unexpected<Error> refused(const std::string& what, int error, std::string_view lacks) {
    if (error == EPERM || error == EACCES) {
        return fail(
            Errc::permission,
            fmt::format("{}: not permitted; it needs root, or CAP_BPF and CAP_NET_ADMIN", what));
    }
    if (error == ENOSYS || error == ENOENT || error == EOPNOTSUPP) {
        return fail(Errc::unsupported,
                    fmt::format("{}: this kernel lacks {}; Debian's has it", what, lacks));
    }
    return tl::unexpected(system_error(what, error));
}

// An ingress qdisc stands in clsact's place and has one block of filters only: what is attached for
// egress would replace what is attached for ingress, and nothing that goes out would be seen.
Result<void> require_clsact(int link, const std::string& interface) {
    VPNHA_TRY(RouteNetlink route, RouteNetlink::open());
    VPNHA_TRY(const std::string kind, route.ingress_qdisc(link));
    if (kind == "clsact") {
        return {};
    }
    return fail(
        Errc::unsupported,
        fmt::format("device {0} has a qdisc '{1}' where the gate needs clsact: nothing that "
                    "goes out could be dropped; replace it (tc qdisc del dev {0} {1} && "
                    "tc qdisc add dev {0} clsact), and add its filters again: clsact takes "
                    "them, too",
                    interface, kind));
}

// The address of a trie's key, whose four octets of length come before it.
template <class Key>
Key key_of(const IpPrefix& prefix) {
    Key key{};
    key.length = prefix.length;
    const ByteView octets = prefix.address.octets();
    std::copy_n(octets.begin(), sizeof key.address, std::begin(key.address));
    return key;
}

IpPrefix prefix_of(const vpnha_gate_prefix4& key) {
    const Ipv4Address address{ByteReader(key.address).u32()};
    return {IpAddress(address), static_cast<std::uint8_t>(key.length)};
}

IpPrefix prefix_of(const vpnha_gate_prefix6& key) {
    Ipv6Address address;
    std::copy_n(std::begin(key.address), sizeof key.address, address.octets.begin());
    return {IpAddress(address), static_cast<std::uint8_t>(key.length)};
}

template <class Key>
Result<void> cover_key(int map, const Key& key, std::uint32_t value) {
    if (bpf_map_update_elem(map, &key, &value, BPF_ANY) != 0) {
        return tl::unexpected(
            system_error(fmt::format("cover {} by the gate", to_string(prefix_of(key))), errno));
    }
    return {};
}

template <class Key>
Result<void> list_keys(int map, GatewayId gateway, std::vector<IpPrefix>& found) {
    Key key{};
    bool is_first = true;
    while (bpf_map_get_next_key(map, is_first ? nullptr : &key, &key) == 0) {
        is_first = false;
        std::uint32_t value = 0;
        if (bpf_map_lookup_elem(map, &key, &value) == 0 &&
            (value & VPNHA_GATE_ID_MASK) == gateway.value) {
            found.push_back(prefix_of(key));
        }
    }
    return errno == ENOENT ? Result<void>{}
                           : tl::unexpected(system_error("list what the gate covers", errno));
}

}  // namespace

Result<void> GateMaps::cover(const config::Gateway& gateway) const {
    const auto cover_net = [this](const IpPrefix& net, std::uint32_t value) {
        return net.address.is_v4()
                   ? cover_key(fds_.covered4, key_of<vpnha_gate_prefix4>(net), value)
                   : cover_key(fds_.covered6, key_of<vpnha_gate_prefix6>(net), value);
    };
    const std::uint32_t id = gateway.id.value;
    for (const IpPrefix& pool : gateway.l2tp.pools) {
        VPNHA_CHECK(cover_net(pool, id));
    }
    VPNHA_CHECK(cover_net(host_prefix(IpAddress(gateway.l2tp.ppp_local)), id));
    for (const config::Side* side : {&gateway.outside, &gateway.inside}) {
        for (const IpPrefix& vip : side->addresses) {
            VPNHA_CHECK(cover_net(host_prefix(vip.address), id | VPNHA_GATE_VIP));
        }
    }
    return {};
}

Result<std::vector<IpPrefix>> GateMaps::covered(GatewayId gateway) const {
    std::vector<IpPrefix> found;
    VPNHA_CHECK(list_keys<vpnha_gate_prefix4>(fds_.covered4, gateway, found));
    VPNHA_CHECK(list_keys<vpnha_gate_prefix6>(fds_.covered6, gateway, found));
    std::sort(found.begin(), found.end());
    return found;
}

Result<void> GateMaps::set_deadline(GatewayId gateway, std::uint64_t deadline_ns) const {
    const std::uint32_t key = gateway.value;
    if (bpf_map_update_elem(fds_.deadline, &key, &deadline_ns, BPF_ANY) != 0) {
        return tl::unexpected(system_error("set the gate's deadline", errno));
    }
    return {};
}

Result<std::uint64_t> GateMaps::deadline(GatewayId gateway) const {
    const std::uint32_t key = gateway.value;
    std::uint64_t value = VPNHA_GATE_SHUT;
    if (bpf_map_lookup_elem(fds_.deadline, &key, &value) != 0) {
        return tl::unexpected(system_error("read the gate's deadline", errno));
    }
    return value;
}

Result<void> GateMaps::allow_endings(GatewayId gateway, bool meant) const {
    const std::uint32_t key = gateway.value;
    const std::uint32_t value = meant ? 1 : 0;
    if (bpf_map_update_elem(fds_.endings, &key, &value, BPF_ANY) != 0) {
        return tl::unexpected(system_error("tell the gate which ends of TCP are meant", errno));
    }
    return {};
}

Result<ports::GateCounters> GateMaps::drops(GatewayId gateway) const {
    const int processors = libbpf_num_possible_cpus();
    if (processors < 0) {
        return tl::unexpected(system_error("count the processors", -processors));
    }
    std::vector<std::uint64_t> per_processor(static_cast<std::size_t>(processors));
    ports::GateCounters counters;
    for (const GateDirection direction : kGateDirections) {
        for (const GateReason reason : ports::kGateReasons) {
            for (const GateKind kind : ports::kGateKinds) {
                const std::uint32_t key = vpnha_gate_counter(
                    gateway.value, static_cast<std::uint32_t>(direction),
                    static_cast<std::uint32_t>(reason), static_cast<std::uint32_t>(kind));
                if (bpf_map_lookup_elem(fds_.drops, &key, per_processor.data()) != 0) {
                    return tl::unexpected(system_error("read the gate's counters", errno));
                }
                counters.at(direction, reason, kind) =
                    std::accumulate(per_processor.begin(), per_processor.end(), std::uint64_t{0});
            }
        }
    }
    return counters;
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
        return refused("load the gate's BPF program", -error, "bpf(2), CONFIG_BPF_SYSCALL");
    }
    return program;
}

Result<void> GateProgram::attach(const std::string& interface, GateDirection direction) const {
    VPNHA_TRY(const int link, link_of(interface));
    bpf_tc_hook hook = hook_of(link, direction);
    const int error = bpf_tc_hook_create(&hook);
    if (error == -EEXIST) {
        VPNHA_CHECK(require_clsact(link, interface));
    } else if (error != 0) {
        return refused(fmt::format("add clsact to {} for the gate", interface), -error,
                       "clsact, CONFIG_NET_SCH_INGRESS (module sch_ingress)");
    }
    bpf_tc_opts options = filter_options();
    options.flags = BPF_TC_F_REPLACE;
    options.prog_fd = this->program(direction);
    if (const int refusal = bpf_tc_attach(&hook, &options); refusal != 0) {
        return refused(fmt::format("attach the gate to {} (is another kind of filter at "
                                   "priority {}?)",
                                   interface, kFilterPriority),
                       -refusal, "BPF as a tc filter, CONFIG_NET_CLS_BPF (module cls_bpf)");
    }
    return {};
}

GateMaps GateProgram::maps() const {
    const auto& maps = program_->maps;
    return GateMaps({bpf_map__fd(maps.covered4), bpf_map__fd(maps.covered6),
                     bpf_map__fd(maps.deadline), bpf_map__fd(maps.endings),
                     bpf_map__fd(maps.drops)});
}

int GateProgram::program(GateDirection direction) const {
    return bpf_program__fd(direction == GateDirection::in ? program_->progs.gate_in
                                                          : program_->progs.gate_out);
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
            gate.covered4_ = std::move(map);
        } else if (name == "covered6") {
            gate.covered6_ = std::move(map);
        } else if (name == "deadline") {
            gate.deadline_ = std::move(map);
        } else if (name == "endings") {
            gate.endings_ = std::move(map);
        } else if (name == "drops" && map_info.max_entries == VPNHA_GATE_COUNTERS) {
            gate.drops_ = std::move(map);
        }
    }
    // At ingress the program has no use for `endings`, and so not the map.
    if (!gate.covered4_ || !gate.covered6_ || !gate.deadline_ || !gate.drops_) {
        return fail(Errc::unsupported,
                    fmt::format("the filter on {} is no gate of this version", interface));
    }
    return gate;
}

GateMaps AttachedGate::maps() const {
    return GateMaps(
        {covered4_.get(), covered6_.get(), deadline_.get(), endings_.get(), drops_.get()});
}

Result<std::uint32_t> program_id(int program) {
    bpf_prog_info info{};
    std::uint32_t info_bytes = sizeof info;
    if (bpf_obj_get_info_by_fd(program, &info, &info_bytes) != 0) {
        return tl::unexpected(system_error("ask the kernel for a BPF program", errno));
    }
    return info.id;
}

}  // namespace vpnha::adapters
