// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/keeper/flows.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "flows_cluster.hpp"
#include "services/flows/work.hpp"
#include "support/flow_builder.hpp"
#include "unit/cluster/node/fake_gateway.hpp"

namespace vpnha::node {
namespace flows_test {

using conntrack::Flow;
using conntrack::News;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::nat_tcp_flow;
using ::testing::_;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;
using ::testing::Truly;

constexpr std::uint32_t kWeek = 7 * 24 * 3600;

TEST_F(FlowsTest, AFlowIsInTheStandbysKernelsATenthOfASecondLater) {
    begin(nat_tcp_flow());
    cluster_.pass(milliseconds(99));
    EXPECT_EQ(records(2), 0U);
    cluster_.pass(milliseconds(1));
    for (const std::uint32_t node : {2U, 3U}) {
        ASSERT_THAT(table(node).flows, Contains(Key(nat_tcp_flow().key)));
        const Flow& hot = table(node).flows.at(nat_tcp_flow().key);
        EXPECT_EQ(hot.timeout_s, kWeek);
        EXPECT_EQ(hot.reply, nat_tcp_flow().reply);
        EXPECT_TRUE((hot.tcp->flags[0] & conntrack::kTcpLiberal) != 0);
        EXPECT_EQ(cluster_.replica(node).store().installed_flows(), 1U);
    }
    EXPECT_FALSE(table(2).watched) << "it would hear of its own installations";
}

TEST_F(FlowsTest, SessionsDoNotWaitForThem) {
    begin(nat_tcp_flow());
    cluster_.run(1, cluster_.at(1).node->on_plugin_up(8, "l2tp", stock_session(session(2)), "",
                                                      cluster_.now()));
    EXPECT_THAT(cluster_.at(2).kernel, Contains(session(2).key));
    EXPECT_EQ(cluster_.at(1).plugins.at(8), "");
    EXPECT_EQ(records(2), 0U);
}

TEST_F(FlowsTest, WhatEndsIsRemovedThere) {
    begin(nat_tcp_flow());
    cluster_.pass(milliseconds(100));
    end(nat_tcp_flow());
    cluster_.pass(milliseconds(100));
    EXPECT_EQ(table(2).flows.size(), 0U);
    EXPECT_EQ(cluster_.replica(2).store().installed_flows(), 0U);
}

TEST_F(FlowsTest, WhatComesAndGoesUnsentIsNeverReported) {
    const std::uint64_t before = cluster_.replica(2).sequence();
    begin(nat_tcp_flow());
    end(nat_tcp_flow());
    cluster_.pass(seconds(1));
    EXPECT_EQ(cluster_.replica(2).sequence(), before);
    EXPECT_EQ(cluster_.replica(1).dirty(), 0U);
}

TEST_F(FlowsTest, ThePromotedNodeListsItsTableASecondAfterItsPromotion) {
    table(1).flows.insert_or_assign(nat_tcp_flow().key,
                                    nat_tcp_flow());  // Before anybody listened.
    cluster_.pass(milliseconds(999));
    EXPECT_EQ(table(1).listings, 0);
    cluster_.pass(milliseconds(101));
    EXPECT_EQ(table(1).listings, 1);
    EXPECT_THAT(table(2).flows, Contains(Key(nat_tcp_flow().key)));
}

TEST_F(FlowsTest, AfterATakeoverFlowsContinueAndUntouchedOnesGetTheirOwnTimeout) {
    begin(nat_tcp_flow(1));
    begin(nat_tcp_flow(2));
    cluster_.pass(milliseconds(100));
    cluster_.kill(1);
    ASSERT_TRUE(cluster_.promote(2).has_value());
    EXPECT_TRUE(table(2).watched);
    EXPECT_EQ(table(2).flows.size(), 2U) << "nothing to commit";
    table(2).flows.at(nat_tcp_flow(1).key).timeout_s = 431'000;  // A packet came.
    cluster_.pass(milliseconds(1100));
    EXPECT_EQ(table(2).flows.at(nat_tcp_flow(1).key).timeout_s, 431'000U);
    EXPECT_EQ(table(2).flows.at(nat_tcp_flow(2).key).timeout_s, 432'000U);
    end(nat_tcp_flow(1), 2);
    cluster_.pass(milliseconds(100));
    EXPECT_EQ(table(3).flows.size(), 1U);
}

// Asked for before the promotion, done after it.
TEST_F(FlowsTest, WhatWaitsForItsInstallationOutlivesTheListingAfterAPromotion) {
    promote_busy_standby();
    EXPECT_EQ(table(2).listings, 2) << "when it was in sync, and promoted";
    cluster_.run(2, table(2).do_waiting(*cluster_.at(2).node, cluster_.now()));
    EXPECT_EQ(records(2), 1U);
    EXPECT_THAT(table(3).flows, Contains(Key(nat_tcp_flow().key)));
}

TEST_F(FlowsTest, WhatIsRefusedBehindThatListingIsNotReplicatedOn) {
    promote_busy_standby();
    table(2).room = 0;
    cluster_.run(2, table(2).do_waiting(*cluster_.at(2).node, cluster_.now()));
    cluster_.pass(milliseconds(100));
    EXPECT_EQ(records(2), 0U);
    EXPECT_EQ(table(3).flows.size(), 0U);
}

TEST_F(FlowsTest, ALateInstallationIsNoNewsAndGetsItsOwnTimeout) {
    begin(nat_tcp_flow());
    cluster_.pass(milliseconds(100));
    cluster_.kill(1);
    ASSERT_TRUE(cluster_.promote(2).has_value());
    cluster_.pass(milliseconds(1100));
    const std::uint64_t before = cluster_.replica(2).sequence();
    begin(conntrack::hot(nat_tcp_flow()), 2);
    EXPECT_EQ(table(2).flows.at(nat_tcp_flow().key).timeout_s, 432'000U);
    cluster_.pass(milliseconds(100));
    EXPECT_EQ(cluster_.replica(2).sequence(), before);
}

TEST_F(FlowsTest, ALateInstallationOfWhatHasEndedIsUndone) {
    const Flow late = conntrack::hot(nat_tcp_flow());
    table(2).flows.insert_or_assign(late.key, late);
    const conntrack::Installed installed{late.key, 1, true};
    cluster_.run(2, cluster_.at(2).node->on_event(
                        kGateway, FlowsInstalled{std::span(&installed, 1)}, cluster_.now()));
    EXPECT_EQ(table(2).flows.size(), 0U);
}

TEST_F(FlowsTest, WhatAnEarlierVpnhadLeftOnThePromotedNodeEndsByItself) {
    const Flow left = conntrack::hot(nat_tcp_flow());
    table(1).flows.insert_or_assign(left.key, left);
    cluster_.pass(milliseconds(1100));
    const std::uint32_t longest =
        std::chrono::duration_cast<seconds>(limits::kKernelFlowTimeoutMax).count();
    EXPECT_EQ(table(1).flows.at(left.key).timeout_s, longest);
    EXPECT_THAT(table(2).flows, Contains(Key(left.key))) << "a packet may still come";
}

TEST_F(FlowsTest, OfThatOnlyAConnectionHasDays) {
    const Flow left = conntrack::hot(test::udp_flow());
    table(1).flows.insert_or_assign(left.key, left);
    cluster_.pass(milliseconds(1100));
    EXPECT_EQ(table(1).flows.at(left.key).timeout_s, 300U);
    EXPECT_EQ(cluster_.replica(2).store().size_of(wire::RecordType::flow), 1U);
}

TEST_F(FlowsTest, WhatEndedWhileEventsWereLostIsFoundByAListing) {
    begin(nat_tcp_flow(1));
    begin(nat_tcp_flow(2));
    cluster_.pass(seconds(2));
    table(1).flows.erase(nat_tcp_flow(1).key);
    table(1).flows.insert_or_assign(nat_tcp_flow(3).key, nat_tcp_flow(3));
    lose_events();
    cluster_.pass(milliseconds(200));
    EXPECT_EQ(counters(1).overruns, 1U);
    EXPECT_THAT(table(2).flows, Not(Contains(Key(nat_tcp_flow(1).key))));
    EXPECT_THAT(table(2).flows, Contains(Key(nat_tcp_flow(2).key)));
    EXPECT_THAT(table(2).flows, Contains(Key(nat_tcp_flow(3).key)));
}

TEST_F(FlowsTest, AListingThatFailsIsTriedAgainAndErasesNothing) {
    begin(nat_tcp_flow());
    cluster_.pass(seconds(2));
    table(1).lists = false;
    lose_events();
    cluster_.pass(milliseconds(500));
    EXPECT_EQ(records(2), 1U);
    table(1).lists = true;
    const int before = table(1).listings;
    cluster_.pass(seconds(2));
    EXPECT_EQ(table(1).listings, before + 1);
    EXPECT_EQ(records(2), 1U);
}

TEST_F(FlowsTest, AStandbyRenewsTheTimeoutsOfItsFlows) {
    begin(nat_tcp_flow());
    cluster_.pass(milliseconds(100));
    table(2).flows.at(nat_tcp_flow().key).timeout_s = 3600;
    cluster_.pass(hours(1));
    EXPECT_EQ(table(2).flows.at(nat_tcp_flow().key).timeout_s, kWeek);
    EXPECT_EQ(table(1).flows.at(nat_tcp_flow().key).timeout_s, 432'000U);
}

TEST_F(FlowsTest, WhatSomebodyRemovedFromAStandbysKernelIsInstalledAgain) {
    for (std::uint16_t port = 1; port <= 300; ++port) {
        begin(nat_tcp_flow(port));
    }
    cluster_.pass(milliseconds(100));
    ASSERT_EQ(table(2).flows.size(), 300U);
    table(2).flows.clear();
    cluster_.pass(seconds(11));
    EXPECT_EQ(table(2).flows.size(), 300U);
    EXPECT_GE(counters(2).missing, 256U);
    EXPECT_THAT(cluster_.at(2).log, Contains(HasSubstr("event=flows-missing")));
    EXPECT_TRUE(cluster_.replica(1).is_protected(
        {wire::RecordType::l2tp_session, wire::RecordId(l2tp::encode_key(session(1).key))}));
}

TEST_F(FlowsTest, WhatAnEarlierVpnhadLeftBehindIsRemoved) {
    begin(nat_tcp_flow(1));
    cluster_.pass(milliseconds(100));
    FakeFlowTable kernel = table(3);
    ASSERT_EQ(kernel.flows.size(), 1U);
    Flow own = nat_tcp_flow(9);
    kernel.flows.insert_or_assign(own.key, own);
    cluster_.kill_process(3);
    end(nat_tcp_flow(1));
    begin(nat_tcp_flow(2));
    cluster_.start(3);
    table(3) = kernel;
    cluster_.pass(seconds(2));
    EXPECT_THAT(table(3).flows, Not(Contains(Key(nat_tcp_flow(1).key))));
    EXPECT_THAT(table(3).flows, Contains(Key(nat_tcp_flow(2).key)));
    EXPECT_THAT(table(3).flows, Contains(Key(own.key))) << "the node's own";
    EXPECT_EQ(counters(3).stale, 1U);
}

TEST_F(FlowsTest, WhatAnEarlierVpnhadLeftIsRemovedAfterAShortPromotion) {
    cluster_.kill(1);
    ASSERT_TRUE(cluster_.promote(2).has_value());
    const Flow left = conntrack::hot(nat_tcp_flow());
    table(2).flows.insert_or_assign(left.key, left);
    ASSERT_TRUE(cluster_.begin_demote(2).has_value());
    ASSERT_TRUE(cluster_.promote(3).has_value());
    cluster_.pass(seconds(2));
    EXPECT_EQ(table(2).flows.size(), 0U);
}

TEST_F(FlowsTest, AFullTableCostsNoSessionItsProtection) {
    table(2).room = 0;
    table(3).room = 0;
    begin(nat_tcp_flow());
    cluster_.pass(milliseconds(100));
    cluster_.run(1, cluster_.at(1).node->on_plugin_up(8, "l2tp", stock_session(session(2)), "",
                                                      cluster_.now()));
    EXPECT_EQ(cluster_.at(1).plugins.at(8), "");
    EXPECT_EQ(cluster_.at(2).node->find(kGateway)->view().standing(), wire::Level::complete);
    EXPECT_EQ(counters(2).refused, 1U);
    EXPECT_THAT(cluster_.at(2).log, Contains(HasSubstr("nf_conntrack_max")));
    table(2).room = 1;
    cluster_.pass(seconds(60));
    EXPECT_EQ(table(2).flows.size(), 1U) << "tried again";
}

TEST_F(FlowsTest, ADemotedNodesFlowsAreHotAgain) {
    begin(nat_tcp_flow(1));
    begin(nat_tcp_flow(2));
    cluster_.pass(milliseconds(100));
    ASSERT_TRUE(cluster_.begin_demote(1).has_value());
    ASSERT_TRUE(cluster_.promote(2).has_value());
    cluster_.pass(seconds(1));
    EXPECT_FALSE(table(1).watched);
    EXPECT_EQ(table(1).flows.at(nat_tcp_flow(1).key).timeout_s, kWeek);
    EXPECT_EQ(table(1).flows.at(nat_tcp_flow(2).key).timeout_s, kWeek);
    EXPECT_EQ(cluster_.replica(1).store().installed_flows(), 2U);
}

TEST_F(FlowsTest, WhatADemotedNodeDidNotReportItDoesNotKeep) {
    begin(nat_tcp_flow());
    cluster_.pass(milliseconds(100));
    cluster_.kill(1);
    ASSERT_TRUE(cluster_.promote(2).has_value());
    Flow ending = conntrack::hot(nat_tcp_flow());
    ending.tcp->state = conntrack::TcpState::fin_wait;  // Held back.
    begin(ending, 2);
    ASSERT_TRUE(cluster_.begin_demote(2).has_value());
    ASSERT_TRUE(cluster_.promote(3).has_value());
    cluster_.pass(seconds(2));
    const Flow& hot = table(2).flows.at(ending.key);
    EXPECT_EQ(hot.tcp->state, conntrack::TcpState::established);
    EXPECT_EQ(hot.timeout_s, kWeek);
}

TEST_F(FlowsTest, NothingRemainsOfThemWhenAStandbyLeaves) {
    begin(nat_tcp_flow());
    cluster_.pass(milliseconds(100));
    ASSERT_TRUE(cluster_.detach(2).has_value());
    cluster_.pass(kOthersHaveThem);
    EXPECT_EQ(table(2).flows.size(), 0U);
}

TEST_F(FlowsTest, WhatALiveGatewayLeavesBehindLivesOn) {
    begin(nat_tcp_flow());
    cluster_.pass(milliseconds(100));
    ASSERT_TRUE(cluster_.detach(1).has_value());
    cluster_.pass(seconds(3));
    EXPECT_EQ(table(1).flows.size(), 1U);
    EXPECT_FALSE(table(1).watched);
}

TEST(FlowsOffTest, ANodeThatDoesNotReplicateTouchesNoKernel) {
    FakeCluster cluster(2);
    cluster.flow_settings().replicate = false;
    cluster.start(3);
    ASSERT_TRUE(cluster.promote(1).has_value());
    const News news{News::Kind::changed, nat_tcp_flow()};
    cluster.run(
        1, cluster.at(1).node->on_event(kGateway, FlowNews{std::span(&news, 1)}, cluster.now()));
    cluster.pass(seconds(1));
    EXPECT_THAT(cluster.at(2).flows.flows, Contains(Key(nat_tcp_flow().key)));
    EXPECT_EQ(cluster.at(3).flows.flows.size(), 0U);
    EXPECT_EQ(cluster.at(3).node->find(kGateway)->view().standing(), wire::Level::complete);
    cluster.kill(1);
    ASSERT_TRUE(cluster.promote(3).has_value());
    EXPECT_FALSE(cluster.at(3).flows.watched);
}

TEST(FlowsListingTest, WhatEndedIsErasedInTurns) {
    TimePoint now{hours(1)};
    keepers::FakeGateway gateway(kGateway, NodeId{1});
    replica::Replica& replica = gateway.replica();
    static_cast<void>(replica.begin_epoch(Epoch{1, NodeId{1}}, now));
    keepers::Flows flows(gateway, {.replicate = true, .policy = {}});
    Effects effects;
    flows.follow(now, effects);
    constexpr std::uint32_t kTurn = limits::kFlowsPerUnlistedTurn;
    constexpr std::uint32_t kFlows = 3 * kTurn + 1;
    const auto notify = [&](News::Kind kind, std::uint32_t number) {
        News news{kind, nat_tcp_flow()};
        news.flow.key.original.source_part = static_cast<std::uint16_t>(1024 + number);
        flows.on_event(FlowNews{std::span(&news, 1)}, now, effects);
    };
    for (std::uint32_t i = 0; i < kFlows; ++i) {
        notify(News::Kind::changed, i);
    }
    ASSERT_EQ(replica.store().size_of(wire::RecordType::flow), kFlows);
    now += limits::kFlowListingPause;
    flows.on_time(now, effects);
    for (std::uint32_t i = 0; i < kTurn; ++i) {
        notify(News::Kind::listed, i);
    }
    flows.on_event(FlowsListed{true}, now, effects);
    EXPECT_EQ(replica.store().size_of(wire::RecordType::flow), kFlows);
    ASSERT_EQ(flows.next_deadline(), now);
    flows.on_time(now, effects);
    EXPECT_EQ(replica.store().size_of(wire::RecordType::flow), kFlows - kTurn);
    notify(News::Kind::changed, kFlows - 1);  // Newer than the list, which has not got it.
    effects.clear();
    for (int turn = 0; turn < 2; ++turn) {
        ASSERT_EQ(flows.next_deadline(), now);
        flows.on_time(now, effects);
    }
    EXPECT_EQ(replica.store().size_of(wire::RecordType::flow), kTurn + 1);
    ASSERT_EQ(effects.size(), 1U);
    EXPECT_THAT(std::get<Log>(effects[0]).text,
                HasSubstr(fmt::format("flows={} gone={}", kTurn + 1, 2 * kTurn)));
    EXPECT_GT(flows.next_deadline(), now);
    flows.on_event(FlowNewsLost{}, now, effects);
    effects.clear();
    flows.on_time(now, effects);
    EXPECT_THAT(
        effects,
        Contains(Truly([](const Effect& each) { return find<ListFlows>(each) != nullptr; })))
        << "the next one may begin";
}

// One node alone, with as many flows as there may be.
TEST(FlowsAtTheLimitTest, WhatFoundNoRoomIsReportedWhenThereIsRoomAgain) {
    TimePoint now{hours(1)};
    keepers::FakeGateway gateway(kGateway, NodeId{1});
    replica::Replica& replica = gateway.replica();
    static_cast<void>(replica.begin_epoch(Epoch{1, NodeId{1}}, now));
    keepers::Flows flows(gateway, {.replicate = true, .policy = {}});
    Effects effects;
    const auto listings_after = [&](Duration time) {
        now += time;
        effects.clear();
        flows.on_time(now, effects);
        return std::ranges::count_if(
            effects, [](const auto& each) { return find<ListFlows>(each) != nullptr; });
    };
    flows.follow(now, effects);
    ASSERT_EQ(listings_after(limits::kFlowListingPause), 1);
    flows.on_event(FlowsListed{true}, now, effects);
    const auto key = [](std::uint32_t number) {
        ByteWriter id;
        id.u32(number);
        return wire::RecordKey{wire::RecordType::flow, wire::RecordId(id.view())};
    };
    for (std::uint32_t i = 0; i < limits::kFlowsPerGatewayMax; ++i) {
        ASSERT_TRUE(replica.publish(key(i), {}));
    }
    const News late{News::Kind::changed, nat_tcp_flow()};
    flows.on_event(FlowNews{std::span(&late, 1)}, now, effects);
    ASSERT_EQ(flows.counters().over_limit, 1U);
    constexpr std::uint32_t kTenth = limits::kFlowsPerGatewayMax / 10;
    for (std::uint32_t i = 1; i < kTenth; ++i) {
        replica.erase(key(i), now);
    }
    EXPECT_EQ(listings_after(limits::kFlowRoomPause), 0);
    EXPECT_EQ(listings_after(limits::kFlowRoomPause), 0) << "little room";
    replica.erase(key(kTenth), now);
    EXPECT_EQ(listings_after(limits::kFlowRoomPause - seconds(1)), 0) << "not so soon";
    EXPECT_EQ(listings_after(seconds(1)), 0);
    ASSERT_TRUE(flows.next_deadline().has_value());
    EXPECT_EQ(listings_after(limits::kFlowListingPause), 1);
    EXPECT_EQ(listings_after(hours(1)), 0) << "once";
}

}  // namespace flows_test
}  // namespace vpnha::node
