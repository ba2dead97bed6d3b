// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/model/tracker.hpp"

#include "unit/services/flows/model/replica_of_flows.hpp"

namespace vpnha::conntrack {
namespace tracker_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::address;
using test::nat_tcp_flow;
using test::udp_flow;
using TrackerTest = ReplicaOfFlows;

Flow in_state(TcpState state) {
    Flow flow = nat_tcp_flow();
    flow.tcp->state = state;
    return flow;
}

TEST_F(TrackerTest, AFlowIsReportedOnceItIsWorthItAndErasedAtItsEnd) {
    tracker();
    Flow young = nat_tcp_flow();
    young.status = kSeenReply;
    EXPECT_EQ(changed(young), Action::none);
    EXPECT_EQ(changed(nat_tcp_flow()), Action::emit);
    EXPECT_EQ(record(nat_tcp_flow()), nat_tcp_flow());
    EXPECT_EQ(changed(nat_tcp_flow()), Action::none);
    EXPECT_EQ(ended(nat_tcp_flow()), Action::erase);
    EXPECT_EQ(ended(nat_tcp_flow()), Action::none);
}

TEST_F(TrackerTest, OthersFlowsAreNoneOfIts) {
    Policy policy;
    policy.nets = {*parse_ip_prefix("10.65.0.0/16")};
    tracker(policy);
    EXPECT_EQ(changed(nat_tcp_flow()), Action::none);
    EXPECT_EQ(ended(nat_tcp_flow()), Action::none);
}

TEST_F(TrackerTest, AFlowThatIsGivenAnothersMarkIsOverHere) {
    Policy policy;
    policy.mark = policy.mark_mask = 1;
    policy.delay = seconds(3);
    tracker(policy);
    Flow flow = nat_tcp_flow();
    flow.mark = 1;
    Flow marked = flow;
    marked.mark = 2;
    EXPECT_EQ(changed(flow), Action::none) << "held back";
    EXPECT_EQ(changed(marked), Action::none);
    EXPECT_EQ(pass(seconds(3)), 0U);
    changed(flow);
    pass(seconds(3));
    EXPECT_EQ(changed(marked), Action::erase);
    EXPECT_EQ(changed(marked), Action::none);
    EXPECT_EQ(ended(marked), Action::none);
}

TEST_F(TrackerTest, ARecordHasTheTimeThatAConnectionLivesWithoutPackets) {
    Flow left = nat_tcp_flow();
    for (const std::uint32_t what_is_left : {250U, 400'000U}) {
        tracker();
        records_.clear();
        left.timeout_s = what_is_left;
        EXPECT_EQ(listed(left), Action::emit);
        EXPECT_EQ(record(left)->timeout_s, 432'000U);
    }
    tracker();
    records_.clear();
    left.timeout_s = 300;
    EXPECT_EQ(changed(left), Action::emit) << "data is unacknowledged";
    EXPECT_EQ(record(left)->timeout_s, 432'000U);
    left.timeout_s = 86'400;  // As its administrator wants it.
    EXPECT_EQ(changed(left), Action::emit);
    left.timeout_s = 300;
    EXPECT_EQ(changed(left), Action::none);
    EXPECT_EQ(listed(left), Action::none);
    EXPECT_EQ(record(left)->timeout_s, 86'400U);
    Flow udp = udp_flow();
    udp.timeout_s = 100;
    EXPECT_EQ(listed(udp), Action::emit);
    EXPECT_EQ(record(udp)->timeout_s, 100U);
}

TEST_F(TrackerTest, WhatIsLookedUpForItsLabelsHasItsWholeTime) {
    Policy policy;
    policy.labels = true;
    tracker(policy);
    EXPECT_EQ(changed(nat_tcp_flow()), Action::look);
    Flow left = nat_tcp_flow();
    left.timeout_s = 300;
    EXPECT_EQ(found(left), Action::emit);
    EXPECT_EQ(record(left), nat_tcp_flow());
}

TEST_F(TrackerTest, AnEventChangesWhatItNames) {
    tracker();
    Flow whole = nat_tcp_flow();
    whole.labels.emplace();
    whole.labels->front() = 1;
    whole.adjusted[1] = SequenceAdjustment{1, 2, 3};
    whole.parent = udp_flow().key;
    changed(whole);
    Flow marked = nat_tcp_flow();
    marked.tcp.reset();
    marked.mark = 9;
    EXPECT_EQ(changed(marked), Action::emit);
    whole.mark = 9;
    EXPECT_EQ(record(whole), whole);
}

TEST_F(TrackerTest, WhatAnEventDoesNotReportOfANewFlowIsLookedUp) {
    tracker();
    News news{News::Kind::changed, nat_tcp_flow()};
    news.flow.tcp.reset();
    EXPECT_EQ(handle(news), Action::look);
    news.flow = nat_tcp_flow();
    news.expected = true;
    EXPECT_EQ(handle(news), Action::look);
    news.expected = false;
    news.adjusted = true;
    EXPECT_EQ(handle(news), Action::look);
    EXPECT_EQ(listed(nat_tcp_flow()), Action::emit);
}

TEST_F(TrackerTest, LabelsAreLookedUpWhenTheRulesetGivesThem) {
    Policy policy;
    policy.labels = true;
    tracker(policy);
    EXPECT_EQ(changed(nat_tcp_flow()), Action::look);
    EXPECT_EQ(listed(nat_tcp_flow()), Action::emit);
    Flow marked = nat_tcp_flow();
    marked.mark = 1;
    EXPECT_EQ(changed(marked), Action::emit);
}

TEST_F(TrackerTest, AnEndingConnectionIsReportedOnlyWhenThatLasts) {
    tracker();
    changed(nat_tcp_flow());
    EXPECT_EQ(changed(in_state(TcpState::fin_wait)), Action::none);
    EXPECT_EQ(changed(in_state(TcpState::last_ack)), Action::none);
    EXPECT_EQ(changed(in_state(TcpState::time_wait)), Action::erase);
    EXPECT_EQ(pass(seconds(5)), 0U);
    EXPECT_FALSE(record(nat_tcp_flow()));

    changed(nat_tcp_flow());
    EXPECT_EQ(changed(in_state(TcpState::fin_wait)), Action::none);
    EXPECT_EQ(pass(milliseconds(999)), 0U);
    EXPECT_EQ(pass(milliseconds(1)), 1U);
    EXPECT_EQ(record(nat_tcp_flow())->tcp->state, TcpState::fin_wait);
}

TEST_F(TrackerTest, ShortFlowsAreNeverReportedWhenThereIsADelay) {
    Policy policy;
    policy.delay = seconds(3);
    Tracker& tracked = tracker(policy);
    EXPECT_EQ(changed(udp_flow()), Action::none);
    EXPECT_EQ(tracked.next_deadline(), now_ + seconds(3));
    EXPECT_EQ(ended(udp_flow()), Action::none);
    EXPECT_EQ(pass(seconds(3)), 0U);
    EXPECT_EQ(tracked.held_back(), 0U);
    EXPECT_EQ(tracked.next_deadline(), std::nullopt);
}

TEST_F(TrackerTest, ManyChangesOfAHeldBackFlowAreReportedAsOne) {
    Policy policy;
    policy.delay = seconds(3);
    tracker(policy);
    Flow flow = nat_tcp_flow();
    for (flow.mark = 1; flow.mark < 10; ++flow.mark) {
        EXPECT_EQ(changed(flow), Action::none);
        EXPECT_EQ(pass(milliseconds(100)), 0U);
    }
    EXPECT_EQ(pass(seconds(3)), 1U);
    EXPECT_EQ(record(flow)->mark, 9U);
    flow.mark = 20;
    EXPECT_EQ(changed(flow), Action::emit);  // Said already: changes are not held back.
}

TEST_F(TrackerTest, AFlowThatComesBackWhileTheOldOneIsDueHasItsOwnTime) {
    Policy policy;
    policy.delay = seconds(3);
    tracker(policy);
    changed(udp_flow());
    ended(udp_flow());
    pass(seconds(2));
    changed(udp_flow());
    EXPECT_EQ(pass(seconds(1)), 0U);
    EXPECT_EQ(pass(seconds(2)), 1U);
}

TEST_F(TrackerTest, AtTheBoundFlowsAreReportedAtOnce) {
    Policy policy;
    policy.delay = seconds(3);
    Tracker& tracked = tracker(policy);
    for (std::uint32_t i = 0; i < limits::kFlowsHeldBackMax; ++i) {
        Flow flow = udp_flow();
        flow.key.original.source = IpAddress(Ipv4Address{0x0a000000 + i});
        flow.reply = invert(kUdp, flow.key.original);
        ASSERT_EQ(changed(flow), Action::none);
    }
    EXPECT_EQ(tracked.held_back(), limits::kFlowsHeldBackMax);
    EXPECT_EQ(changed(udp_flow()), Action::emit);
}

}  // namespace tracker_test
}  // namespace vpnha::conntrack
