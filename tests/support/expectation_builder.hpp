// SPDX-License-Identifier: GPL-2.0-or-later
// Expectations for tests: FTP and SIP of a client behind the gateway.
#pragma once

#include "services/flows/model/expectation.hpp"
#include "support/flow_builder.hpp"

namespace vpnha::test {

// The control connection of an FTP client: its flow, NATed like nat_tcp_flow().
inline conntrack::Flow ftp_flow(std::uint16_t port = 40'000) {
    conntrack::Flow flow = nat_tcp_flow(port);
    flow.key.original.destination_part = 21;
    flow.reply.source_part = 21;
    flow.helper = "ftp";
    return flow;
}

// After PORT: the server connects to the gateway, which hands it on to the client.
inline conntrack::Expectation ftp_expectation(const conntrack::Flow& control = ftp_flow(),
                                              std::uint16_t port = 50'000) {
    conntrack::Expectation expectation;
    expectation.key = {conntrack::kTcp,
                       control.key.zone,
                       {control.reply.source, control.reply.destination, 0, port}};
    expectation.from_address = true;
    expectation.parent = control.key;
    expectation.timeout_s = 300;
    expectation.helper = "ftp";
    expectation.function = "nat-follow-master";
    expectation.nat = conntrack::Expectation::Nat{true, IpAddress(Ipv4Address{0}), port};
    return expectation;
}

// The flow over which a telephone registered: answered once, and so not assured.
inline conntrack::Flow sip_flow() {
    conntrack::Flow flow = udp_flow();
    flow.status = conntrack::kSeenReply;
    flow.timeout_s = 3600;
    flow.helper = "sip";
    return flow;
}

// Calls for it, from its registrar.
inline conntrack::Expectation sip_expectation(const conntrack::Flow& flow = sip_flow()) {
    conntrack::Expectation expectation;
    expectation.key = {conntrack::kUdp,
                       flow.key.zone,
                       {flow.key.original.destination, flow.key.original.source, 0, 5060}};
    expectation.from_address = true;
    expectation.parent = flow.key;
    expectation.flags = conntrack::kExpectPermanent;
    expectation.timeout_s = 3600;
    expectation.helper = "sip";
    return expectation;
}

// Any valid expectation.
inline conntrack::Expectation random_expectation(Random& random) {
    const bool ipv4 = random.chance(70);
    conntrack::Zone zone;
    if (random.chance(20)) {
        zone = {static_cast<std::uint16_t>(1 + random.below(65'535)),
                static_cast<conntrack::ZoneScope>(random.below(2))};
    }
    const IpAddress none = ipv4 ? IpAddress(Ipv4Address{0}) : IpAddress(Ipv6Address{});
    conntrack::Expectation expectation;
    expectation.key = random_key(random, ipv4, zone);
    expectation.from_address = random.chance(50);
    expectation.from_part = conntrack::has_parts(expectation.key.protocol) && random.chance(50);
    if (!expectation.from_address) {
        expectation.key.original.source = none;
    }
    if (!expectation.from_part) {
        expectation.key.original.source_part = 0;
    }
    expectation.parent = random_key(random, ipv4, zone);
    expectation.parent.protocol = random.chance(50) ? conntrack::kTcp : conntrack::kUdp;
    expectation.flags = static_cast<std::uint8_t>(random.below(4));
    expectation.policy_class = static_cast<std::uint8_t>(random.below(4));
    expectation.timeout_s = static_cast<std::uint32_t>(random.below(7 * 24 * 3600));
    if (random.chance(70)) {
        expectation.helper = std::string("sip-5061").substr(0, 1 + random.below(8));
    }
    if (random.chance(50)) {
        expectation.function = std::string("nat-follow-master").substr(0, 1 + random.below(17));
    }
    if (random.chance(50)) {
        expectation.nat = conntrack::Expectation::Nat{
            random.chance(50),
            random.chance(50) ? random_key(random, ipv4, zone).original.source : none,
            random.u16()};
    }
    return expectation;
}

}  // namespace vpnha::test
