// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/gate/gate_program.hpp"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.hpp"
#include "gate.skel.h"
#include "host/gate/gate_abi.h"
#include "host/gate/gate_chain.hpp"

namespace vpnha::adapters {

namespace {

// Maps of one program; ours has 13 and libbpf may add one for constants.
constexpr std::size_t kProgramMapsMax = 14;
// The kernel's names of the gate's programs, which identify a gate in a chain.
constexpr std::array<std::string_view, 2> kNames{"vpnha_gate_in", "vpnha_gate_out"};

// The address of a trie's key; four octets of length precede it.
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

vpnha_gate_rule rule_of(const config::GateRule& from) {
    VPNHA_ASSERT(from.words.size() <= VPNHA_GATE_WORDS_MAX);
    vpnha_gate_rule rule{};
    rule.lasts_ns = static_cast<std::uint64_t>(std::chrono::nanoseconds(from.lasts).count());
    std::ranges::transform(from.words, std::begin(rule.words), [](const auto& word) {
        VPNHA_ASSERT(word.offset <= VPNHA_GATE_OFFSET_MAX && (word.value & ~word.mask) == 0);
        return vpnha_gate_word{word.offset, htonl(word.mask), htonl(word.value)};
    });
    rule.port = htons(from.port);
    rule.protocol = static_cast<std::uint8_t>(from.transport);
    rule.kind = static_cast<std::uint8_t>(from.kind);
    return rule;
}

template <class Key>
Result<void> cover_key(int map, const Key& key, std::uint32_t value) {
    if (bpf_map_update_elem(map, &key, &value, BPF_ANY) != 0) {
        return tl::unexpected(
            system_error(fmt::format("cover {} by the gate", to_string(prefix_of(key))), errno));
    }
    return {};
}

// A counter's sum over all processors.
Result<std::uint64_t> sum_of(int map, std::uint32_t key) {
    const int processors = libbpf_num_possible_cpus();
    if (processors < 0) {
        return tl::unexpected(system_error("count the processors", -processors));
    }
    std::vector<std::uint64_t> per_processor(static_cast<std::size_t>(processors));
    if (bpf_map_lookup_elem(map, &key, per_processor.data()) != 0) {
        return tl::unexpected(system_error("read the gate's counters", errno));
    }
    return std::accumulate(per_processor.begin(), per_processor.end(), std::uint64_t{0});
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
    const std::uint32_t tunnel_port = gateway.protocols.tunnel_port().value_or(0);
    std::uint32_t vip = id | tunnel_port << VPNHA_GATE_TUNNEL_PORT_SHIFT;
    vpnha_gate_rules rules{};
    auto* next_rule = std::begin(rules.rules);
    for (const config::Facts& protocol : gateway.protocols.facts()) {
        for (const config::GateRule& rule : protocol.gate_rules) {
            VPNHA_ASSERT(next_rule != std::end(rules.rules));
            *next_rule++ = rule_of(rule);
            vip |= VPNHA_GATE_RULED;
        }
        vip |= protocol.has_esp ? VPNHA_GATE_ESP : 0;
        vip |= protocol.needs_esp && tunnel_port != 0 ? VPNHA_GATE_SECURED : 0;
    }
    if (fds_.rules != -1 && bpf_map_update_elem(fds_.rules, &id, &rules, BPF_ANY) != 0) {
        return tl::unexpected(system_error("set the gate's rules of protocols", errno));
    }
    for (const config::Covered& each : gateway.covered()) {
        VPNHA_CHECK(cover_net(each.net, each.is_vip() ? vip : id));
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

Result<void> GateMaps::allow_end(Ipv4Address vip, const Ipv4Endpoint& peer, bool meant) const {
    vpnha_gate_connection connection{};
    const std::uint32_t local = htonl(vip.value);
    const std::uint32_t address = htonl(peer.address.value);
    const std::uint16_t port = htons(peer.port);
    std::memcpy(connection.local, &local, sizeof connection.local);
    std::memcpy(connection.peer, &address, sizeof connection.peer);
    std::memcpy(connection.peer_port, &port, sizeof connection.peer_port);
    const std::uint32_t value = 1;
    const int done = meant ? bpf_map_update_elem(fds_.ends, &connection, &value, BPF_ANY)
                           : bpf_map_delete_elem(fds_.ends, &connection);
    if (done != 0 && (meant || errno != ENOENT)) {
        return tl::unexpected(system_error("pass the meant ends of TCP to the gate", errno));
    }
    return {};
}

Result<void> GateMaps::hold_esp(const std::vector<std::uint32_t>& spis, bool held) const {
    for (const std::uint32_t spi : spis) {
        const std::uint32_t key = htonl(spi);
        const std::uint32_t value = 1;
        const int done = held ? bpf_map_update_elem(fds_.held, &key, &value, BPF_ANY)
                              : bpf_map_delete_elem(fds_.held, &key);
        if (done != 0 && (held || errno != ENOENT)) {
            return tl::unexpected(system_error("pass the held ESP SAs to the gate", errno));
        }
    }
    return {};
}

Result<void> GateMaps::drain(std::uint32_t key, bool drained) const {
    const std::uint32_t value = drained ? 1 : 0;
    if (bpf_map_update_elem(fds_.drained, &key, &value, BPF_ANY) != 0) {
        return tl::unexpected(system_error("pass the state of draining to the gate", errno));
    }
    return {};
}

Result<void> GateMaps::set_move(GatewayId gateway, const vpnha_gate_move& move) const {
    const std::uint32_t key = gateway.value;
    if (bpf_map_update_elem(fds_.moves, &key, &move, BPF_ANY) != 0) {
        return tl::unexpected(system_error("pass a planned move to the gate", errno));
    }
    return {};
}

Result<void> GateMaps::set_station(GatewayId gateway, LinkIndex link,
                                   const vpnha_gate_station& station) const {
    const vpnha_gate_way way{gateway.value, static_cast<std::uint32_t>(link)};
    if (bpf_map_update_elem(fds_.stations, &way, &station, BPF_ANY) != 0) {
        return tl::unexpected(system_error("pass another node's device to the gate", errno));
    }
    return {};
}

Result<vpnha_gate_station> GateMaps::station(GatewayId gateway, LinkIndex link) const {
    const vpnha_gate_way way{gateway.value, static_cast<std::uint32_t>(link)};
    vpnha_gate_station station{};
    if (bpf_map_lookup_elem(fds_.stations, &way, &station) != 0 && errno != ENOENT) {
        return tl::unexpected(system_error("ask the gate for another node's device", errno));
    }
    return station;
}

Result<ports::MovedPackets> GateMaps::moved(GatewayId gateway) const {
    VPNHA_TRY(const std::uint64_t sent_on,
              sum_of(fds_.moved, vpnha_gate_moved(gateway.value, VPNHA_GATE_SENT_ON)));
    VPNHA_TRY(const std::uint64_t held,
              sum_of(fds_.moved, vpnha_gate_moved(gateway.value, VPNHA_GATE_WAITED)));
    VPNHA_TRY(const std::uint64_t looped,
              sum_of(fds_.moved, vpnha_gate_moved(gateway.value, VPNHA_GATE_LOOPED)));
    return ports::MovedPackets{sent_on, held, looped};
}

Result<ports::GateCounters> GateMaps::drops(GatewayId gateway) const {
    ports::GateCounters counters;
    for (const GateDirection direction : kGateDirections) {
        for (const GateReason reason : ports::kGateReasons) {
            for (const GateKind kind : ports::kGateKinds) {
                const std::uint32_t key = vpnha_gate_counter(
                    gateway.value, static_cast<std::uint32_t>(direction),
                    static_cast<std::uint32_t>(reason), static_cast<std::uint32_t>(kind));
                VPNHA_TRY(counters.at(direction, reason, kind), sum_of(fds_.drops, key));
            }
        }
    }
    return counters;
}

Result<std::uint32_t> GateMaps::deadline_map() const {
    bpf_map_info info{};
    std::uint32_t info_bytes = sizeof info;
    if (bpf_obj_get_info_by_fd(fds_.deadline, &info, &info_bytes) != 0) {
        return tl::unexpected(system_error("ask the kernel for a map of the gate", errno));
    }
    return info.id;
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
        return refused_by_kernel("load the gate's BPF program", -error,
                                 "bpf(2), CONFIG_BPF_SYSCALL");
    }
    return program;
}

GateMaps GateProgram::maps() const {
    const auto& maps = program_->maps;
    return GateMaps({bpf_map__fd(maps.covered4), bpf_map__fd(maps.covered6),
                     bpf_map__fd(maps.deadline), bpf_map__fd(maps.rules), bpf_map__fd(maps.ends),
                     bpf_map__fd(maps.held), bpf_map__fd(maps.drained), bpf_map__fd(maps.moves),
                     bpf_map__fd(maps.stations), bpf_map__fd(maps.moved), bpf_map__fd(maps.drops)});
}

const bpf_program* GateProgram::handle(GateDirection direction) const {
    return direction == GateDirection::in ? program_->progs.vpnha_gate_in
                                          : program_->progs.vpnha_gate_out;
}

int GateProgram::program(GateDirection direction) const {
    return bpf_program__fd(handle(direction));
}

int GateProgram::back() const {
    return bpf_program__fd(program_->progs.vpnha_gate_back);
}

Result<UniqueFd> GateProgram::copy(GateDirection direction) const {
    // The instructions from libbpf name the maps by their descriptors.
    const bpf_program* const original = handle(direction);
    UniqueFd copy(bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, bpf_program__name(original), "GPL",
                                bpf_program__insns(original), bpf_program__insn_cnt(original),
                                nullptr));
    if (!copy) {
        return tl::unexpected(system_error("load the gate's BPF program again", errno));
    }
    return copy;
}

Result<std::optional<AttachedGate>> AttachedGate::open(std::uint32_t program) {
    AttachedGate gate;
    VPNHA_TRY(gate.program_, open_program(program));
    VPNHA_TRY(const ProgramInfo info, program_info(gate.program_.get()));
    if (std::find(kNames.begin(), kNames.end(), info.name) == kNames.end()) {
        return std::nullopt;
    }
    for (const std::uint32_t id : info.maps) {
        UniqueFd map(bpf_map_get_fd_by_id(id));
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
        } else if (name == "drops" && map_info.max_entries == VPNHA_GATE_COUNTERS) {
            gate.drops_ = std::move(map);
        }
    }
    if (!gate.covered4_ || !gate.covered6_ || !gate.deadline_ || !gate.drops_) {
        return fail(Errc::unsupported,
                    fmt::format("program {} is no gate of this version", program));
    }
    return gate;
}

GateMaps AttachedGate::maps() const {
    return GateMaps({covered4_.get(), covered6_.get(), deadline_.get(), -1, -1, -1, -1, -1, -1, -1,
                     drops_.get()});
}

Result<ProgramInfo> program_info(int program) {
    std::array<std::uint32_t, kProgramMapsMax> maps{};
    bpf_prog_info info{};
    info.nr_map_ids = static_cast<std::uint32_t>(maps.size());
    info.map_ids = reinterpret_cast<std::uintptr_t>(maps.data());
    std::uint32_t info_bytes = sizeof info;
    if (bpf_obj_get_info_by_fd(program, &info, &info_bytes) != 0) {
        return tl::unexpected(system_error("ask the kernel for a BPF program", errno));
    }
    const std::size_t count = std::min<std::size_t>(info.nr_map_ids, maps.size());
    return ProgramInfo{info.id, info.name, {maps.begin(), maps.begin() + count}};
}

Result<UniqueFd> open_program(std::uint32_t id) {
    UniqueFd program(bpf_prog_get_fd_by_id(id));
    if (program) {
        return program;
    }
    const std::string what = fmt::format("open BPF program {}", id);
    return errno == ENOENT ? Result<UniqueFd>(fail(Errc::not_found, what + ": there is none"))
                           : tl::unexpected(system_error(what, errno));
}

}  // namespace vpnha::adapters
