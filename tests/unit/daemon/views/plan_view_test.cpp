// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/views/plan_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/flows/work.hpp"
#include "support/expectation_builder.hpp"
#include "unit/cluster/node/fake_cluster.hpp"
#include "unit/cluster/node/sample_session.hpp"

namespace vpnha::runtime {
namespace plan_view_test {

using nlohmann::json;
using node::FakeCluster;
using node::session;

class PlanViewTest : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(cluster_.promote(1));
        for (std::uint16_t id = 1; id <= 3; ++id) {
            cluster_.run(1, cluster_.at(1).node->on_plugin_up(
                                id, "l2tp", node::stock_session(session(id)), "", cluster_.now()));
        }
        cluster_.pass(std::chrono::seconds(2));
    }
    json plan(std::uint32_t seen_from, std::optional<NodeId> without = std::nullopt) {
        return plan_view(*cluster_.at(seen_from).node, std::nullopt, without)["gateways"][0];
    }

    FakeCluster cluster_{3};
};

TEST_F(PlanViewTest, EveryNodeSeesThatAllContinues) {
    for (const std::uint32_t node : {1U, 2U, 3U}) {
        const json gateway = plan(node);
        EXPECT_EQ(gateway["without"], 1) << node;
        EXPECT_EQ(gateway["stays"], false);
        EXPECT_EQ(gateway["sessions"], 3);
        EXPECT_EQ(gateway["lost"], 0) << gateway.dump();
        ASSERT_EQ(gateway["candidates"].size(), 2U);
        EXPECT_EQ(gateway["candidates"][0]["name"], "gw2");
        EXPECT_EQ(gateway["candidates"][0]["kept"], 3);
        EXPECT_EQ(gateway["candidates"][0]["may_be_promoted"], true);
    }
}

TEST_F(PlanViewTest, WithoutAStandbyTheHolderStays) {
    const json gateway = plan(1, NodeId{2});
    EXPECT_EQ(gateway["stays"], true);
    EXPECT_EQ(gateway["lost"], 0);
    ASSERT_EQ(gateway["candidates"].size(), 1U);
    EXPECT_EQ(gateway["candidates"][0]["node"], 3);
    EXPECT_EQ(gateway["candidates"][0]["may_be_promoted"], false);
}

TEST_F(PlanViewTest, WithNobodyLeftAllIsLost) {
    cluster_.kill(2);
    cluster_.kill(3);
    const json gateway = plan(1);
    EXPECT_TRUE(gateway["candidates"].empty());
    EXPECT_EQ(gateway["lost"], 3);
}

TEST_F(PlanViewTest, AStandbyWhoseKernelRefusesLosesWhatItRefuses) {
    cluster_.at(2).refuses_sessions = true;
    cluster_.kill(3);
    cluster_.run(1, cluster_.at(1).node->on_plugin_up(4, "l2tp", node::stock_session(session(4)),
                                                      "", cluster_.now()));
    cluster_.pass(std::chrono::seconds(2));
    const json gateway = plan(1);
    EXPECT_EQ(gateway["sessions"], 4);
    EXPECT_EQ(gateway["lost"], 1) << gateway.dump();
    EXPECT_EQ(gateway["candidates"][0]["kept"], 3);
    EXPECT_EQ(gateway["candidates"][0]["standing"], "partial");
}

TEST_F(PlanViewTest, FlowsAndWhatTheirHelpersExpectAreNoSessions) {
    const conntrack::News flow{conntrack::News::Kind::changed, test::ftp_flow()};
    cluster_.at(1).flows.flows.insert_or_assign(flow.flow.key, flow.flow);
    cluster_.run(1, cluster_.at(1).node->on_event(
                        node::kGateway, node::FlowNews{std::span(&flow, 1)}, cluster_.now()));
    const conntrack::ExpectationNews expected{conntrack::ExpectationNews::Kind::made,
                                              test::ftp_expectation()};
    cluster_.at(1).flows.expectations.insert_or_assign(expected.expectation.key,
                                                       expected.expectation);
    cluster_.run(
        1, cluster_.at(1).node->on_event(
               node::kGateway, node::ExpectationNews{std::span(&expected, 1)}, cluster_.now()));
    cluster_.pass(std::chrono::milliseconds(200));
    const replica::Store& store = cluster_.replica(1).store();
    ASSERT_EQ(store.size_of(wire::Service::tracked), 2U);
    EXPECT_EQ(plan(1)["sessions"], 3);
    EXPECT_EQ(plan(1)["lost"], 0) << plan(1).dump();
    cluster_.kill(2);
    cluster_.kill(3);
    EXPECT_EQ(plan(1)["lost"], 3);
}

TEST_F(PlanViewTest, OfOneGatewayOnly) {
    const node::Node& node = *cluster_.at(1).node;
    EXPECT_EQ(plan_view(node, node::kGateway, std::nullopt)["gateways"].size(), 1U);
    EXPECT_TRUE(plan_view(node, GatewayId{9}, std::nullopt)["gateways"].empty());
}

TEST_F(PlanViewTest, MembersAreNamedByNameOrId) {
    const node::Node& node = *cluster_.at(1).node;
    EXPECT_EQ(parse_member(node, "").value(), std::nullopt);
    EXPECT_EQ(parse_member(node, "gw2").value(), NodeId{2});
    EXPECT_EQ(parse_member(node, "3").value(), NodeId{3});
    const auto unknown = parse_member(node, "gw9");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, Errc::not_found);
    EXPECT_THAT(unknown.error().detail, ::testing::HasSubstr("name one of: gw1, gw2, gw3"));
}

}  // namespace plan_view_test
}  // namespace vpnha::runtime
