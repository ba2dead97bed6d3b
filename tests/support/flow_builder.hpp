// SPDX-License-Identifier: GPL-2.0-or-later
// Flows for tests: a client behind the gateway that talks to a server outside.
#pragma once

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "services/flows/model/flow.hpp"
#include "support/random.hpp"

namespace vpnha::test {

inline IpAddress address(std::string_view text) {
    return parse_ip(text).value_or(IpAddress{});
}

inline conntrack::Flow flow_of(std::uint8_t protocol, const conntrack::Tuple& original) {
    conntrack::Flow flow;
    flow.key = {protocol, {}, original};
    flow.reply = conntrack::invert(protocol, original);
    flow.status = conntrack::kSeenReply | conntrack::kAssured;
    flow.timeout_s = 180;
    return flow;
}

// tcp 10.64.1.5:40000 > 203.0.113.9:443, as 192.0.2.100:40000 for the server.
inline conntrack::Flow nat_tcp_flow(std::uint16_t port = 40'000) {
    conntrack::Flow flow =
        flow_of(conntrack::kTcp, {address("10.64.1.5"), address("203.0.113.9"), port, 443});
    flow.reply.destination = address("192.0.2.100");
    flow.timeout_s = 432'000;
    flow.tcp = conntrack::Tcp{conntrack::TcpState::established, {7, 9}, {3, 3}};
    return flow;
}

inline conntrack::Flow udp_flow() {
    return flow_of(conntrack::kUdp, {address("10.64.1.5"), address("203.0.113.9"), 5060, 5060});
}

// The call of a PPTP client behind NAT: gre 10.64.1.5:1000 > 203.0.113.9:0, as 192.0.2.100:4000.
inline conntrack::Flow pptp_call() {
    conntrack::Flow flow =
        flow_of(conntrack::kGre, {address("10.64.1.5"), address("203.0.113.9"), 1000, 0});
    flow.reply.destination = address("192.0.2.100");
    flow.reply.destination_part = 4000;
    return flow;
}

inline conntrack::FlowKey random_key(Random& random, bool ipv4, const conntrack::Zone& zone) {
    conntrack::FlowKey key;
    constexpr std::array<std::uint8_t, 8> kOfIpv4{1, 6, 17, 33, 47, 50, 132, 136};
    constexpr std::array<std::uint8_t, 8> kOfIpv6{58, 6, 17, 33, 47, 50, 132, 136};
    key.protocol = (ipv4 ? kOfIpv4 : kOfIpv6)[random.below(8)];
    key.zone = zone;
    const auto any = [&] {
        if (ipv4) {
            return IpAddress(Ipv4Address{random.u32()});
        }
        Ipv6Address ipv6;
        for (std::uint8_t& octet : ipv6.octets) {
            octet = static_cast<std::uint8_t>(random.next() | 1);  // No IPv4-mapped one.
        }
        return IpAddress(ipv6);
    };
    key.original.source = any();
    key.original.destination = any();
    if (conntrack::has_parts(key.protocol)) {
        key.original.source_part = random.u16();
        key.original.destination_part = random.u16();
    }
    return key;
}

// Any valid flow.
inline conntrack::Flow random_flow(Random& random) {
    const bool ipv4 = random.chance(70);
    conntrack::Zone zone;
    if (random.chance(20)) {
        zone = {static_cast<std::uint16_t>(1 + random.below(65'535)),
                static_cast<conntrack::ZoneScope>(random.below(3))};
    }
    conntrack::Flow flow;
    flow.key = random_key(random, ipv4, zone);
    flow.reply = conntrack::invert(flow.key.protocol, flow.key.original);
    const conntrack::FlowKey other = random_key(random, ipv4, zone);
    if (random.chance(30)) {
        flow.reply.source = other.original.source;
    }
    if (random.chance(30)) {
        flow.reply.destination = other.original.destination;
    }
    if (conntrack::has_parts(flow.key.protocol)) {
        flow.reply.source_part = random.chance(30) ? random.u16() : flow.reply.source_part;
        flow.reply.destination_part =
            random.chance(30) ? random.u16() : flow.reply.destination_part;
    }
    flow.status = (random.chance(50) ? conntrack::kSeenReply : 0) |
                  (random.chance(50) ? conntrack::kAssured : 0);
    flow.timeout_s = static_cast<std::uint32_t>(random.below(
        static_cast<std::uint64_t>(std::chrono::seconds(limits::kFlowTimeoutMax).count()) + 1));
    flow.mark = random.chance(30) ? random.u32() | 1 : 0;
    if (flow.key.protocol == conntrack::kTcp) {
        const auto scale = [&] { return static_cast<std::uint8_t>(random.below(15)); };
        const auto flags = [&] { return static_cast<std::uint8_t>(random.below(8)); };
        flow.tcp = conntrack::Tcp{static_cast<conntrack::TcpState>(random.below(10)),
                                  {scale(), scale()},
                                  {flags(), flags()}};
    }
    if (random.chance(20)) {
        flow.labels.emplace();
        flow.labels->at(random.below(16)) = static_cast<std::uint8_t>(random.next() | 1);
    }
    if (random.chance(20)) {
        flow.helper = std::string("Q.931-ftp_sip-1").substr(0, 1 + random.below(15));
    }
    for (auto& adjustment : flow.adjusted) {
        if (random.chance(20)) {
            adjustment = conntrack::SequenceAdjustment{random.u32(),
                                                       static_cast<std::int32_t>(random.u32()), 1};
        }
    }
    if (random.chance(20)) {
        flow.parent = random_key(random, ipv4, zone);
    }
    return flow;
}

}  // namespace vpnha::test
