// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/backend/conntrack_message.hpp"

#include <gmock/gmock.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include <array>

#include "support/flow_builder.hpp"

namespace vpnha::adapters {
namespace conntrack_message_test {

using Buffer = std::array<char, kFlowMessageBytesMax>;

TEST(ConntrackMessageTest, WhatIsWrittenIsReadAgain) {
    test::Random random(3);
    for (int i = 0; i < 5'000; ++i) {
        conntrack::Flow flow = test::random_flow(random);
        flow.reply = conntrack::invert(flow.key.protocol, flow.key.original);
        alignas(nlmsghdr) Buffer buffer{};
        const nlmsghdr* const message = put_flow(buffer.data(), flow, FlowRequest::create);
        ASSERT_LE(message->nlmsg_len, kFlowMessageBytesMax);
        const auto news = parse_flow_message(message, true);
        ASSERT_TRUE(news);
        ASSERT_EQ(news->flow, flow) << to_string(flow.key);
    }
}

TEST(ConntrackMessageTest, TheLargestFitsIntoItsRoom) {
    conntrack::Flow flow = test::flow_of(
        conntrack::kTcp, {test::address("2001:db8::1"), test::address("2001:db8::2"), 40'000, 443});
    flow.reply = {test::address("2001:db8::3"), test::address("2001:db8::4"), 1, 2};
    flow.mark = 1;
    flow.tcp.emplace();
    flow.labels.emplace().fill(1);
    flow.helper = "123456789012345";
    flow.adjusted = {conntrack::SequenceAdjustment{1, 2, 3},
                     conntrack::SequenceAdjustment{1, 2, 3}};
    flow.parent = flow.key;
    alignas(nlmsghdr) Buffer buffer{};
    EXPECT_LE(put_flow(buffer.data(), flow, FlowRequest::create)->nlmsg_len, 700U);
}

TEST(ConntrackMessageTest, AnyCutIsReadWithoutHarm) {
    test::Random random(4);
    for (int i = 0; i < 300; ++i) {
        alignas(nlmsghdr) Buffer buffer{};
        nlmsghdr* const message =
            put_flow(buffer.data(), test::random_flow(random), FlowRequest::create);
        for (std::uint32_t length = message->nlmsg_len; length >= NLMSG_HDRLEN; --length) {
            message->nlmsg_len = length;
            static_cast<void>(parse_flow_message(message, true));
        }
        message->nlmsg_len = NLMSG_HDRLEN + 8;
        EXPECT_FALSE(parse_flow_message(message, true));
    }
}

}  // namespace conntrack_message_test
}  // namespace vpnha::adapters
