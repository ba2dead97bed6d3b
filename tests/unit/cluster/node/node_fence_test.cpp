// SPDX-License-Identifier: GPL-2.0-or-later
// Fencing by marks, as a whole cluster does it.
#include <gmock/gmock.h>

#include "fake_cluster.hpp"
#include "sample_session.hpp"

namespace vpnha::node {
namespace node_fence_test {

using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr Duration kPatience = std::chrono::seconds(5);
// A fence mark lasts so long, and is asked for again each 50 ms.
constexpr Duration kDone = milliseconds(750);

RequestToken begin_fence(FakeCluster& cluster, std::uint32_t by, std::uint32_t victim,
                         Duration patience = kPatience) {
    static RequestToken next = 1000;
    const RequestToken request = next++;
    cluster.run(by, cluster.at(by).node->fence(request, NodeId{victim}, patience, cluster.now()));
    return request;
}

bool answered(FakeCluster& cluster, std::uint32_t node, RequestToken request) {
    return cluster.at(node).answers.contains(request);
}

// How fencing the victim is refused at once.
Error refused(FakeCluster& cluster, std::uint32_t by, std::uint32_t victim) {
    const RequestToken request = begin_fence(cluster, by, victim);
    if (!answered(cluster, by, request) || cluster.at(by).answers.at(request)) {
        ADD_FAILURE() << "not refused";
        return {};
    }
    return cluster.at(by).answers.at(request).error();
}

TEST(NodeFenceTest, ALostNodeIsFencedWhenItsPromisesHaveRunOut) {
    FakeCluster cluster = with_one_session();
    cluster.split({1});
    const RequestToken request = begin_fence(cluster, 2, 1);
    cluster.pass(milliseconds(505));
    EXPECT_FALSE(answered(cluster, 2, request));
    cluster.pass(kDone - milliseconds(505));
    ASSERT_TRUE(answered(cluster, 2, request));
    EXPECT_TRUE(cluster.at(2).answers.at(request).has_value());
    EXPECT_FALSE(cluster.gate_open(1));
    EXPECT_TRUE(cluster.promote(3).has_value());
}

TEST(NodeFenceTest, ALivingNodeIsSilentAtOnceAndEndsItsLife) {
    FakeCluster cluster = with_one_session();
    const RequestToken request = begin_fence(cluster, 2, 1);
    EXPECT_FALSE(cluster.gate_open(1));
    EXPECT_TRUE(cluster.at(1).fenced);
    EXPECT_TRUE(cluster.at(1).node->fenced());
    // What would start its services anew is behind its end.
    EXPECT_THAT(cluster.at(1).steps, Not(Contains(takeover::Step::reset_services)));
    cluster.pass(kDone);
    EXPECT_TRUE(answered(cluster, 2, request));
    EXPECT_TRUE(cluster.at(2).node->is_marked(NodeId{1}));
    EXPECT_FALSE(cluster.at(2).node->is_marked(NodeId{3}));
}

TEST(NodeFenceTest, AStandbyIsFencedLikeAPromotedNode) {
    FakeCluster cluster = with_one_session();
    const RequestToken request = begin_fence(cluster, 1, 3);
    EXPECT_TRUE(cluster.at(3).fenced);
    cluster.pass(kDone);
    EXPECT_TRUE(answered(cluster, 1, request));
    EXPECT_TRUE(cluster.gate_open(1));
}

TEST(NodeFenceTest, WhatIsLostOnTheWayIsAskedForAgain) {
    FakeCluster cluster = with_one_session();
    cluster.split({1});
    cluster.mute_leases({3});
    const RequestToken request = begin_fence(cluster, 2, 1);
    cluster.pass(milliseconds(200));
    cluster.mute_leases({});
    cluster.pass(kDone);
    EXPECT_TRUE(answered(cluster, 2, request));
}

TEST(NodeFenceTest, WithoutAMajorityOfMarkersItFailsInTime) {
    FakeCluster cluster = with_one_session();
    cluster.mute_leases({1, 3});
    const RequestToken request = begin_fence(cluster, 2, 1, std::chrono::seconds(2));
    cluster.pass(milliseconds(1990));
    EXPECT_FALSE(answered(cluster, 2, request));
    cluster.pass(milliseconds(20));
    ASSERT_TRUE(answered(cluster, 2, request));
    EXPECT_EQ(cluster.at(2).answers.at(request).error().code, Errc::timeout);
}

TEST(NodeFenceTest, TwoVictimsHaveTheirTurns) {
    FakeCluster cluster(5);
    ASSERT_TRUE(cluster.promote(2).has_value());
    const RequestToken first = begin_fence(cluster, 1, 2);
    const RequestToken second = begin_fence(cluster, 1, 3);
    const RequestToken again = begin_fence(cluster, 1, 2);
    // To the second victim nobody has promised anything; it waits for the first one's promises.
    cluster.pass(milliseconds(300));
    EXPECT_FALSE(answered(cluster, 1, first));
    EXPECT_FALSE(answered(cluster, 1, second));
    cluster.pass(kDone);
    EXPECT_TRUE(answered(cluster, 1, first));
    EXPECT_TRUE(answered(cluster, 1, again));
    EXPECT_TRUE(answered(cluster, 1, second));
}

TEST(NodeFenceTest, AVictimThatComesBackIsNotFencedInItsNextLife) {
    FakeCluster cluster = with_one_session();
    cluster.kill(1);
    const RequestToken request = begin_fence(cluster, 2, 1);
    cluster.start(1);
    cluster.pass(kDone);
    EXPECT_TRUE(answered(cluster, 2, request));
    EXPECT_FALSE(cluster.at(1).fenced);
    EXPECT_TRUE(cluster.promote(1).has_value());
}

TEST(NodeFenceTest, AVictimThatWasOutOfReachLearnsOfItWhenItSpeaks) {
    FakeCluster cluster = with_one_session();
    cluster.split({3});
    begin_fence(cluster, 1, 3);
    cluster.pass(kDone);
    EXPECT_FALSE(cluster.at(3).fenced);
    cluster.heal();
    cluster.pass(milliseconds(200));
    EXPECT_TRUE(cluster.at(3).fenced);
}

TEST(NodeFenceTest, ItsOwnDiskInformsADaemonThatStartsAgain) {
    FakeCluster cluster = with_one_session();
    const lease::Sender life = cluster.at(1).node->find(kGateway)->cores().settings.lease.self;
    begin_fence(cluster, 2, 1);
    GatewaySettings gateway = cluster.at(1).node->find(kGateway)->cores().settings;
    gateway.durable = cluster.disk(1);
    EXPECT_EQ(gateway.lease.self, life);
    Settings settings;
    settings.self = NodeId{1};
    settings.gateways = {gateway};
    EXPECT_TRUE(Node(settings).fenced());
    settings.gateways[0].lease.self.boot.octets[0] = 77;
    EXPECT_FALSE(Node(settings).fenced());
}

TEST(NodeFenceTest, WhatCannotSucceedIsRefusedAtOnce) {
    FakeCluster cluster = with_one_session();
    EXPECT_EQ(refused(cluster, 2, 2).code, Errc::invalid_argument);
    EXPECT_EQ(refused(cluster, 2, 9).code, Errc::unsupported);
    // A standby has heard the promoted node only.
    const Error unreceived = refused(cluster, 2, 3);
    EXPECT_EQ(unreceived.code, Errc::not_found);
    EXPECT_THAT(unreceived.detail, HasSubstr("by its power"));
    cluster.split({2});
    EXPECT_EQ(refused(cluster, 2, 1).code, Errc::unreachable);
    EXPECT_FALSE(cluster.at(1).fenced);
}

TEST(NodeFenceTest, OfTwoVotersNoneIsFenced) {
    FakeCluster cluster = with_one_session();
    for (const std::uint32_t node : {1U, 2U, 3U}) {
        cluster.run(node, cluster.at(node).node->set_voters({NodeId{1}, NodeId{2}}, cluster.now()));
    }
    cluster.pass(std::chrono::seconds(1));
    const Error error = refused(cluster, 2, 1);
    EXPECT_EQ(error.code, Errc::unsupported);
    EXPECT_THAT(error.detail, HasSubstr("three voters"));
    EXPECT_FALSE(cluster.at(1).fenced);
}

}  // namespace node_fence_test
}  // namespace vpnha::node
