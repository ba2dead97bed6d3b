// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/model/flow.hpp"

#include <gmock/gmock.h>

#include "support/flow_builder.hpp"

namespace vpnha::conntrack {
namespace flow_test {

using test::address;

TEST(FlowTest, AnswersHavePortsTheOtherWayRound) {
    const Tuple asked{address("10.0.0.1"), address("192.0.2.9"), 40'000, 53};
    EXPECT_EQ(invert(kUdp, asked), (Tuple{address("192.0.2.9"), address("10.0.0.1"), 53, 40'000}));
    EXPECT_EQ(invert(kUdp, invert(kUdp, asked)), asked);
}

TEST(FlowTest, AnswersToPingsHaveTheirIdentifierAndTheOtherType) {
    const Tuple asked{address("10.0.0.1"), address("192.0.2.9"), 77, 8 << 8 | 3};
    EXPECT_EQ(invert(kIcmp, asked), (Tuple{address("192.0.2.9"), address("10.0.0.1"), 77, 3}));
    EXPECT_EQ(invert(kIcmp, invert(kIcmp, asked)), asked);
    const Tuple asked6{address("2001:db8::1"), address("2001:db8::2"), 77, 128 << 8};
    EXPECT_EQ(invert(kIcmpv6, asked6).destination_part, 129 << 8);
    EXPECT_EQ(invert(kIcmpv6, invert(kIcmpv6, asked6)), asked6);
}

TEST(FlowTest, IsPrintedInTheWayOfItsProtocol) {
    FlowKey key{kTcp, {}, {address("10.0.0.1"), address("192.0.2.9"), 40'000, 443}};
    EXPECT_EQ(to_string(key), "tcp 10.0.0.1:40000 > 192.0.2.9:443");
    key.zone.id = 7;
    key.protocol = 50;
    EXPECT_EQ(to_string(key), "protocol 50 10.0.0.1 > 192.0.2.9 zone 7");
    key = {kUdp, {}, {address("2001:db8::1"), address("2001:db8::2"), 1, 2}};
    EXPECT_EQ(to_string(key), "udp [2001:db8::1]:1 > [2001:db8::2]:2");
}

}  // namespace flow_test
}  // namespace vpnha::conntrack
