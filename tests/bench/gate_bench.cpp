// SPDX-License-Identifier: GPL-2.0-or-later
// What the gate costs a packet: the kernel runs the program itself, BPF_PROG_TEST_RUN, so many
// times over one frame. Beside it an empty program, run in turn with it: the difference is the
// gate's own. The tries hold as much as a large node's, and deadlines lie far ahead. A line of
// JSON.
#include <bpf/bpf.h>
#include <fmt/format.h>
#include <linux/bpf.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "host/gate/gate_program.hpp"

namespace vpnha::bench {

namespace {

using adapters::GateProgram;
using ports::GateDirection;

constexpr std::uint32_t kRuns = 1'000'000;
constexpr int kRounds = 9;
constexpr std::uint64_t kFarAhead = ~std::uint64_t{0} / 2;
// Gateways beside the one whose packets are measured, each with its own addresses and pools.
constexpr std::uint8_t kOthers = 9;

IpPrefix net(const std::string& text) {
    const Result<IpPrefix> prefix = parse_ip_prefix(text);
    VPNHA_ASSERT(prefix.has_value());
    return *prefix;
}

config::Gateway gateway(std::uint8_t id) {
    config::Gateway gateway;
    gateway.id = GatewayId{id};
    gateway.outside.addresses = {net(fmt::format("192.0.2.{}/24", id)),
                                 net(fmt::format("2001:db8::{:x}/64", id))};
    gateway.inside.addresses = {net(fmt::format("198.51.100.{}/24", id)),
                                net(fmt::format("2001:db8:1::{:x}/64", id))};
    gateway.ppp_local = Ipv4Address{0x0ac80000U | id};
    for (int pool = 0; pool < 3; ++pool) {
        gateway.pools.push_back(net(fmt::format("10.{}.{}.0/24", id, pool)));
        gateway.pools.push_back(net(fmt::format("2001:db8:{:x}:{}::/64", 256 + id, pool)));
    }
    return gateway;
}

// An Ethernet frame around an IP header and `payload`; the addresses have one family.
Bytes frame(const std::string& from, const std::string& to, std::uint8_t protocol,
            ByteView payload) {
    const IpAddress source =
        net(from + (from.find(':') == std::string::npos ? "/32" : "/128")).address;
    const IpAddress target = net(to + (to.find(':') == std::string::npos ? "/32" : "/128")).address;
    ByteWriter out;
    out.bytes(Bytes(12, 2));
    const auto length = static_cast<std::uint16_t>(payload.size());
    if (source.is_v4()) {
        out.u16(0x0800).u8(0x45).u8(0).u16(static_cast<std::uint16_t>(length + 20));
        out.u32(0).u8(64).u8(protocol).u16(0);
    } else {
        out.u16(0x86dd).u32(0x60000000).u16(length).u8(protocol).u8(64);
    }
    return std::move(out.bytes(source.octets()).bytes(target.octets()).bytes(payload)).take();
}

Bytes arp(const std::string& sender) {
    ByteWriter out;
    out.bytes(Bytes(12, 2)).u16(0x0806).u16(1).u16(0x0800).u8(6).u8(4).u16(1).bytes(Bytes(6, 2));
    out.bytes(net(sender + "/32").address.octets()).bytes(Bytes(10, 3));
    return std::move(out).take();
}

Bytes tcp() {
    ByteWriter out;
    out.u16(443).u16(40'000).u32(1).u32(1).u8(0x50).u8(0x10).u16(512).u32(0).bytes(Bytes(64));
    return std::move(out).take();
}

Bytes advertisement(const std::string& of) {
    ByteWriter out;
    out.u8(136).u8(0).u16(0).u32(0).bytes(net(of + "/128").address.octets()).bytes(Bytes(8));
    return std::move(out).take();
}

// Passes everything, as the shortest program that does.
int load_empty() {
    const bpf_insn instructions[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = -1},
        {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
    const int program = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "empty", "GPL", instructions,
                                      std::size(instructions), nullptr);
    VPNHA_ASSERT(program >= 0);
    return program;
}

std::uint32_t run(int program, const Bytes& data) {
    bpf_test_run_opts options{};
    options.sz = sizeof options;
    options.data_in = data.data();
    options.data_size_in = static_cast<std::uint32_t>(data.size());
    options.repeat = kRuns;
    VPNHA_ASSERT(bpf_prog_test_run_opts(program, &options) == 0);
    return options.duration;
}

struct Case {
    const char* name;
    GateDirection direction;
    Bytes data;
};

std::vector<Case> cases() {
    const Bytes udp(72);
    return {
        {"ipv4_uncovered", GateDirection::out, frame("203.0.113.1", "203.0.113.2", 17, udp)},
        {"ipv4_open_out", GateDirection::out, frame("192.0.2.1", "203.0.113.2", 17, udp)},
        {"ipv4_open_in", GateDirection::in, frame("203.0.113.2", "192.0.2.1", 17, udp)},
        {"ipv4_open_client", GateDirection::out, frame("10.1.1.7", "203.0.113.2", 17, udp)},
        {"ipv4_open_tcp", GateDirection::out, frame("192.0.2.1", "203.0.113.2", 6, tcp())},
        {"ipv4_shut", GateDirection::in, frame("203.0.113.2", "192.0.2.2", 17, udp)},
        {"ipv6_uncovered", GateDirection::out, frame("2001:db8:9::1", "2001:db8:9::2", 17, udp)},
        {"ipv6_open_out", GateDirection::out, frame("2001:db8::1", "2001:db8:9::2", 17, udp)},
        {"ipv6_open_in", GateDirection::in, frame("2001:db8:9::2", "2001:db8::1", 17, udp)},
        {"ipv6_open_client", GateDirection::out,
         frame("2001:db8:101:1::7", "2001:db8:9::2", 17, udp)},
        {"ipv6_open_tcp", GateDirection::out, frame("2001:db8::1", "2001:db8:9::2", 6, tcp())},
        {"ipv6_shut", GateDirection::in, frame("2001:db8:9::2", "2001:db8::2", 17, udp)},
        {"nd_uncovered", GateDirection::out,
         frame("2001:db8:9::1", "ff02::1", 58, advertisement("2001:db8:9::1"))},
        {"nd_open", GateDirection::out,
         frame("2001:db8::1", "ff02::1", 58, advertisement("2001:db8::1"))},
        {"arp_uncovered", GateDirection::out, arp("203.0.113.1")},
        {"arp_open", GateDirection::out, arp("192.0.2.1")},
    };
}

int measure() {
    const Result<GateProgram> gate = GateProgram::load();
    if (!gate) {
        fmt::print(stderr, "gate_bench: {}\n", gate.error().detail);
        return 1;
    }
    for (std::uint8_t id = 1; id <= kOthers + 1; ++id) {
        VPNHA_ASSERT(gate->maps().cover(gateway(id)).has_value());
    }
    VPNHA_ASSERT(gate->maps().set_deadline(GatewayId{1}, kFarAhead).has_value());
    const int empty = load_empty();
    const std::vector<Case> measured = cases();
    std::map<std::string, std::uint32_t> lowest;
    // What others do on the machine only adds.
    const auto keep_lowest = [&lowest](const std::string& name, std::uint32_t ns) {
        const auto kept = lowest.try_emplace(name, ns).first;
        kept->second = std::min(kept->second, ns);
    };
    for (int round = 0; round < kRounds; ++round) {
        keep_lowest("empty", run(empty, measured.front().data));
        for (const Case& each : measured) {
            keep_lowest(each.name, run(gate->program(each.direction), each.data));
        }
    }
    fmt::print("{}\n", nlohmann::json(lowest).dump());
    return 0;
}

}  // namespace

}  // namespace vpnha::bench

int main() {
    return vpnha::bench::measure();
}
