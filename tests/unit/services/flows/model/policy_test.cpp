// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/model/policy.hpp"

#include <gmock/gmock.h>

#include "support/flow_builder.hpp"

namespace vpnha::conntrack {
namespace policy_test {

using test::address;
using test::flow_of;
using test::nat_tcp_flow;
using test::udp_flow;

Flow with_status(std::uint8_t protocol, std::uint32_t status) {
    Flow flow = flow_of(protocol, {address("10.64.1.5"), address("203.0.113.9"), 0, 0});
    flow.status = status;
    return flow;
}

TEST(PolicyTest, AssuredFlowsAreWorthIt) {
    const Policy policy;
    for (const std::uint8_t protocol : {kTcp, kUdp, kUdpLite, kGre}) {
        EXPECT_EQ(worth(policy, with_status(protocol, kSeenReply)), Worth::none);
        EXPECT_EQ(worth(policy, with_status(protocol, kSeenReply | kAssured)), Worth::live);
    }
}

TEST(PolicyTest, WhatNothingAssuresNeedsAReply) {
    constexpr std::uint8_t kEsp = 50;
    EXPECT_EQ(worth({}, with_status(kEsp, 0)), Worth::none);
    EXPECT_EQ(worth({}, with_status(kEsp, kSeenReply)), Worth::live);
    EXPECT_EQ(worth({}, with_status(kIcmp, kSeenReply)), Worth::none);
}

TEST(PolicyTest, AllFlowsButThoseWithoutTheirStateCanBeAskedFor) {
    Policy policy;
    policy.unassured = true;
    EXPECT_EQ(worth(policy, with_status(kTcp, 0)), Worth::live);
    EXPECT_EQ(worth(policy, with_status(kIcmp, 0)), Worth::live);
    EXPECT_EQ(worth(policy, with_status(kSctp, kSeenReply | kAssured)), Worth::none);
    EXPECT_EQ(worth(policy, with_status(kDccp, kSeenReply | kAssured)), Worth::none);
}

TEST(PolicyTest, ATcpConnectionEndsBeforeItsEntry) {
    const auto in_state = [](TcpState state) {
        Flow flow = nat_tcp_flow();
        flow.tcp->state = state;
        return worth({}, flow);
    };
    EXPECT_EQ(in_state(TcpState::established), Worth::live);
    EXPECT_EQ(in_state(TcpState::fin_wait), Worth::ending);
    EXPECT_EQ(in_state(TcpState::close_wait), Worth::ending);
    EXPECT_EQ(in_state(TcpState::last_ack), Worth::ending);
    EXPECT_EQ(in_state(TcpState::time_wait), Worth::over);
    EXPECT_EQ(in_state(TcpState::close), Worth::over);
}

TEST(PolicyTest, AFlowIsTheGatewaysByAnyOfItsEnds) {
    const auto of_net = [](std::string_view net) {
        Policy policy;
        policy.nets = {*parse_ip_prefix(net)};
        return concerns(policy, nat_tcp_flow());
    };
    EXPECT_TRUE(concerns({}, nat_tcp_flow()));
    EXPECT_TRUE(of_net("10.64.1.0/24"));    // The client in a pool.
    EXPECT_TRUE(of_net("203.0.113.9/32"));  // The server.
    EXPECT_TRUE(of_net("192.0.2.100/32"));  // The VIP that NAT gave it.
    EXPECT_FALSE(of_net("192.0.2.101/32"));
    EXPECT_FALSE(of_net("2001:db8::/32"));
}

TEST(PolicyTest, ZonesAndMarksDistinguishGateways) {
    Policy policy;
    policy.zones = {7, 8};
    Flow flow = udp_flow();
    EXPECT_FALSE(concerns(policy, flow));
    flow.key.zone.id = 8;
    EXPECT_TRUE(concerns(policy, flow));
    policy.mark = 0x1200;
    policy.mark_mask = 0xff00;
    EXPECT_FALSE(concerns(policy, flow));
    flow.mark = 0xab'12'34;
    EXPECT_TRUE(concerns(policy, flow));
}

}  // namespace policy_test
}  // namespace vpnha::conntrack
