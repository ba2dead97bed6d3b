// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/l2tp_exchange.hpp"

#include <gmock/gmock.h>

#include "support/l2tp_builder.hpp"

namespace vpnha::probe {
namespace l2tp_exchange_test {

using l2tp::MessageType;
using test::describe;
using test::L2tpPacket;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr TunnelId kOurs{0x1234};
constexpr std::uint16_t kTheirs = 0x77;

Bytes sccrp(std::uint16_t tunnel = kOurs.value, std::uint16_t id = kTheirs) {
    return L2tpPacket(MessageType::sccrp).to(tunnel).numbers(0, 1).u16(9, id).bytes();
}
Bytes refusal(std::uint16_t id = kTheirs) {
    return L2tpPacket(MessageType::stopccn)
        .to(kOurs.value)
        .numbers(0, 1)
        .u16(9, id)
        .u16(1, 2)
        .bytes();
}

TEST(L2tpExchangeTest, AsksForATunnelAndTakesItBack) {
    L2tpExchange exchange(kOurs);
    EXPECT_EQ(exchange.step(), "sccrq");
    EXPECT_EQ(describe(exchange.request()), "SCCRQ ns 0 nr 0");
    ASSERT_TRUE(exchange.on_datagram(sccrp()));
    EXPECT_EQ(exchange.step(), "stopccn");
    EXPECT_EQ(describe(exchange.request()), "StopCCN result 1 ns 1 nr 1");
    EXPECT_EQ(test::open_datagram(exchange.request()).header.tunnel, TunnelId{kTheirs});
    ASSERT_TRUE(exchange.on_datagram(L2tpPacket().to(kOurs.value).numbers(1, 2).bytes()));
    EXPECT_TRUE(exchange.is_over());
    EXPECT_THAT(exchange.closing_message(), IsEmpty());
}

TEST(L2tpExchangeTest, WhatIsOfAnotherTunnelOrNoAnswerChangesNothing) {
    L2tpExchange exchange(kOurs);
    const Bytes cases[] = {
        {},
        {0x00, 0x02},
        sccrp(kOurs.value + 1),
        sccrp(kOurs.value, 0),
        L2tpPacket(MessageType::sccrp).to(kOurs.value).numbers(0, 0).u16(9, kTheirs).bytes(),
        L2tpPacket(MessageType::sccrp).to(kOurs.value, 5).numbers(0, 1).u16(9, kTheirs).bytes(),
        L2tpPacket(MessageType::hello).to(kOurs.value).numbers(0, 1).bytes(),
        L2tpPacket().to(kOurs.value).numbers(0, 1).bytes(),
    };
    for (const Bytes& each : cases) {
        ASSERT_TRUE(exchange.on_datagram(each));
        EXPECT_EQ(exchange.step(), "sccrq") << to_hex(each);
    }
    ASSERT_TRUE(exchange.on_datagram(sccrp()));
    // Its copy, and an acknowledgement of the SCCRQ alone.
    ASSERT_TRUE(exchange.on_datagram(sccrp()));
    ASSERT_TRUE(exchange.on_datagram(L2tpPacket().to(kOurs.value).numbers(1, 1).bytes()));
    EXPECT_FALSE(exchange.is_over());
}

TEST(L2tpExchangeTest, ARefusalIsAnErrorThatIsAcknowledged) {
    L2tpExchange exchange(kOurs);
    const auto refused = exchange.on_datagram(refusal());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unreachable);
    EXPECT_THAT(refused.error().detail, HasSubstr("StopCCN, result 2, error 0"));
    EXPECT_EQ(describe(exchange.closing_message()), "ZLB ns 1 nr 1");
    EXPECT_EQ(test::open_datagram(exchange.closing_message()).header.tunnel, TunnelId{kTheirs});
}

TEST(L2tpExchangeTest, ARefusalWithoutATunnelHasNobodyToAcknowledge) {
    L2tpExchange exchange(kOurs);
    EXPECT_FALSE(exchange.on_datagram(refusal(0)));
    EXPECT_THAT(exchange.closing_message(), IsEmpty());
}

TEST(L2tpExchangeTest, AnUnansweredTunnelIsTakenBackByOurId) {
    const L2tpExchange exchange(kOurs);
    const Bytes last = exchange.closing_message();
    EXPECT_EQ(describe(last), "StopCCN result 1 ns 1 nr 0");
    const auto message = l2tp::parse_control(last);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->header.tunnel, TunnelId{});
    EXPECT_EQ(message->u16(l2tp::AvpType::assigned_tunnel_id), kOurs.value);
}

}  // namespace l2tp_exchange_test
}  // namespace vpnha::probe
