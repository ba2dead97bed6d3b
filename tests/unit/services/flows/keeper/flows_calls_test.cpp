// SPDX-License-Identifier: GPL-2.0-or-later
// Calls of PPTP through whole nodes.
#include <gmock/gmock.h>

#include "flows_cluster.hpp"
#include "services/flows/model/calls.hpp"
#include "support/flow_builder.hpp"

namespace vpnha::node {
namespace flows_calls_test {

using conntrack::Flow;
using conntrack::News;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using test::nat_tcp_flow;
using ::testing::Contains;
using ::testing::Key;

constexpr std::uint32_t kWeek = 7 * 24 * 3600;

class CallsTest : public FlowsTest {
  protected:
    CallsTest() {
        control_.key.original.destination_part = control_.reply.source_part = 1723;
        call_.parent = control_.key;
        begin(control_);
        begin(call_);
        cluster_.pass(seconds(2));
    }
    // The second node serves after it.
    void take_over() {
        cluster_.kill(1);
        ASSERT_TRUE(cluster_.promote(2).has_value());
    }
    // How much of the call the node's kernel has.
    long halves_in(std::uint32_t node) {
        return std::ranges::count_if(
            halves_, [&](const News& half) { return table(node).flows.contains(half.flow.key); });
    }

    Flow control_ = nat_tcp_flow();
    Flow call_ = test::pptp_call();
    const std::array<News, 2> halves_ = conntrack::halves({.flow = test::pptp_call()});
};

TEST_F(CallsTest, ACallOfPptpIsTwoFlowsOnStandbysAndEndsWithItsControlConnection) {
    const Flow &control = control_, &call = call_;
    for (const News& half : halves_) {
        EXPECT_THAT(table(2).flows, Contains(Key(half.flow.key)));
    }
    end(call);
    cluster_.pass(seconds(2));
    EXPECT_EQ(records(2), 1U);
    begin(call);
    cluster_.pass(seconds(2));
    EXPECT_EQ(records(2), 3U);
    Flow second = control;
    second.key.original.source_part = second.reply.destination_part = 40'001;
    begin(second);
    cluster_.pass(seconds(2));
    end(control);
    cluster_.pass(seconds(2));
    EXPECT_EQ(records(2), 3U) << "the call may be the other one's";
    end(second);
    cluster_.pass(seconds(2));
    EXPECT_EQ(records(2), 0U);
    EXPECT_EQ(halves_in(2), 0);
}

// Both are behind the VIP, and have called one server.
TEST_F(CallsTest, ACallOutlivesTheControlConnectionOfAnotherClient) {
    Flow control = control_;
    control.key.original.source = test::address("10.64.1.6");
    control.reply.destination_part = 40'001;
    Flow call = test::flow_of(conntrack::kGre,
                              {control.key.original.source, test::address("203.0.113.9"), 1001, 1});
    call.reply.destination = control.reply.destination;
    call.reply.destination_part = 4001;
    const std::array<News, 2> others = conntrack::halves({.flow = call});
    call.parent = control.key;
    begin(control);
    begin(call);
    cluster_.pass(seconds(2));
    ASSERT_EQ(records(2), 6U);
    end(control_);
    cluster_.pass(seconds(2));
    EXPECT_EQ(records(2), 3U);
    EXPECT_EQ(halves_in(2), 0);
    for (const News& half : others) {
        EXPECT_THAT(table(2).flows, Contains(Key(half.flow.key)));
    }
    take_over();
    cluster_.pass(minutes(10));
    EXPECT_EQ(records(3), 3U) << "it has its control connection";
}

TEST_F(CallsTest, ACallEndsWhenItsControlConnectionIsOverAndNotWhenTheKernelForgetsThat) {
    take_over();
    cluster_.pass(seconds(2));
    EXPECT_EQ(halves_in(2), 2);
    control_.tcp->state = conntrack::TcpState::time_wait;
    begin(control_, 2);
    cluster_.pass(seconds(2));
    EXPECT_EQ(halves_in(2), 0);
    EXPECT_EQ(halves_in(3), 0);
    EXPECT_EQ(records(3), 0U);
}

TEST_F(CallsTest, ACallWhoseControlConnectionEndedUnreceivedEndsWithinSixMinutes) {
    table(2).flows.erase(control_.key);
    take_over();
    cluster_.pass(seconds(2));
    EXPECT_EQ(records(3), 2U) << "the listing did not find it";
    cluster_.pass(minutes(5));
    EXPECT_EQ(halves_in(2), 2) << "its control connection may be picked up";
    cluster_.pass(minutes(1));
    EXPECT_EQ(halves_in(2), 0);
    EXPECT_EQ(records(3), 0U);
}

TEST_F(CallsTest, ACallLivesOnWhenItsControlConnectionSpeaksAgain) {
    table(2).flows.erase(control_.key);
    take_over();
    cluster_.pass(minutes(5));
    begin(control_, 2);
    cluster_.pass(minutes(10));
    EXPECT_EQ(halves_in(2), 2);
    EXPECT_EQ(halves_in(3), 2);
}

TEST_F(CallsTest, ALiveCallIsRenewedOnASuccessor) {
    take_over();
    cluster_.pass(seconds(2));
    for (const News& half : halves_) {
        table(2).flows.at(half.flow.key).timeout_s = kWeek / 2 - 1;
    }
    cluster_.pass(hours(1));
    for (const News& half : halves_) {
        EXPECT_EQ(table(2).flows.at(half.flow.key).timeout_s, kWeek);
    }
    EXPECT_EQ(records(3), 3U);
    table(2).flows.erase(halves_[1].flow.key);
    handle({News::Kind::ended, halves_[1].flow}, 2);
    cluster_.pass(seconds(1));
    EXPECT_EQ(records(3), 2U) << "somebody removed it";
}

TEST_F(CallsTest, OnlyOneWithoutAControlConnectionEnds) {
    Flow tunnel = test::flow_of(conntrack::kGre,
                                {test::address("10.64.1.5"), test::address("203.0.113.10"), 0, 0});
    begin(tunnel);
    cluster_.pass(minutes(10));
    take_over();
    cluster_.pass(minutes(10));
    EXPECT_EQ(halves_in(2), 2);
    EXPECT_THAT(table(2).flows, Contains(Key(tunnel.key)));
}

}  // namespace flows_calls_test
}  // namespace vpnha::node
