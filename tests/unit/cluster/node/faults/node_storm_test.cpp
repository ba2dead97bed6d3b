// SPDX-License-Identifier: GPL-2.0-or-later
// Whole nodes in a storm of memberships: rings come and go, and the lease's datagrams get through.
#include <gmock/gmock.h>

#include "unit/cluster/node/fake_cluster.hpp"
#include "unit/cluster/node/sample_session.hpp"

namespace vpnha::node {
namespace node_storm_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Node 1 is promoted, and carries session 1; standbys stand in.
class NodeStormTest : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(cluster_.promote(1).has_value());
        cluster_.run(1, cluster_.at(1).node->on_plugin_up(7, "l2tp", stock_session(session(1)), "",
                                                          cluster_.now()));
        cluster_.pass(seconds(15));
        first_ = cluster_.replica(1).epoch();
    }
    // Each node is alone in its ring.
    void lose_rings() {
        cluster_.hold(true);
        for (const std::uint32_t node : {1U, 2U, 3U}) {
            if (cluster_.lives(node)) {
                cluster_.run(node, cluster_.at(node).node->on_members({NodeId{node}}, false,
                                                                      cluster_.now()));
            }
        }
    }
    void form_rings() {
        cluster_.form_ring();
        cluster_.hold(false);
    }
    // Longer than a lease, as of a stalled host.
    void lapse() { cluster_.stand_still(milliseconds(400)); }
    // Node 1 serves on, and has not been able to tell the group of its new epoch.
    void expect_to_serve_unnotified() {
        EXPECT_TRUE(cluster_.gate_open(1));
        EXPECT_EQ(cluster_.state(1), takeover::State::promoted);
        EXPECT_EQ(cluster_.replica(1).epoch(), first_);
        EXPECT_GT(cluster_.lease(1).holder().epoch(), first_);
        EXPECT_FALSE(cluster_.gate_open(2));
        EXPECT_FALSE(cluster_.gate_open(3));
    }
    void expect_all_to_follow(std::uint32_t holder) {
        EXPECT_TRUE(cluster_.gate_open(holder));
        EXPECT_EQ(cluster_.replica(holder).epoch(), cluster_.lease(holder).holder().epoch());
        for (const std::uint32_t node : {1U, 2U, 3U}) {
            EXPECT_EQ(cluster_.replica(node).holder(), NodeId{holder}) << node;
            EXPECT_EQ(cluster_.replica(node).epoch(), cluster_.replica(holder).epoch()) << node;
            EXPECT_EQ(cluster_.replica(node).level(), wire::Level::complete) << node;
            EXPECT_EQ(cluster_.replica(node).store().count(), 1U) << node;
        }
    }

    FakeCluster cluster_{3, 3, true};
    Epoch first_;
};

TEST_F(NodeStormTest, AHolderWhoseLeaseLapsesServesOnAndNotifiesTheGroupInTheNextRing) {
    lose_rings();
    lapse();
    cluster_.pass(milliseconds(20));
    expect_to_serve_unnotified();
    EXPECT_THAT(cluster_.at(1).log, Contains(HasSubstr("event=claim-waits")));
    cluster_.pass(seconds(30));
    expect_to_serve_unnotified();
    form_rings();
    cluster_.pass(milliseconds(200));
    expect_all_to_follow(1);
    cluster_.run(1, cluster_.at(1).node->on_plugin_up(8, "l2tp", stock_session(session(2)), "",
                                                      cluster_.now()));
    cluster_.pass(milliseconds(100));
    EXPECT_EQ(cluster_.at(1).plugins.at(8), "") << "protected";
}

TEST_F(NodeStormTest, RingsThatComeAndGoKeepNobodySilent) {
    for (int ring = 0; ring < 20; ++ring) {
        lose_rings();
        if (ring % 3 == 0) {
            lapse();
        }
        cluster_.pass(milliseconds(50 + 70 * (ring % 5)));
        EXPECT_TRUE(cluster_.gate_open(1)) << ring;
        form_rings();
        cluster_.pass(milliseconds(30 * (ring % 4)));
        EXPECT_TRUE(cluster_.gate_open(1)) << ring;
    }
    cluster_.pass(milliseconds(200));
    expect_all_to_follow(1);
    for (const std::uint32_t node : {1U, 2U, 3U}) {
        EXPECT_THAT(cluster_.at(node).reports, IsEmpty()) << node;
        EXPECT_THAT(cluster_.at(node).log, Not(Contains(HasSubstr("is of no use"))));
        EXPECT_THAT(cluster_.at(node).log, Not(Contains(HasSubstr("event=stand-in"))));
    }
}

// A voter has granted a higher epoch than the holder's. To claim above it would take quorum.
TEST_F(NodeStormTest, WithoutARingNoLeaseIsGivenBackForAHigherEpoch) {
    cluster_.mute_leases({3});
    cluster_.pass(milliseconds(400));
    cluster_.begin_promote(3);
    ASSERT_GT(cluster_.lease(3).voter().granted(), first_) << "its own claim";
    lose_rings();
    cluster_.mute_leases({});
    cluster_.pass(milliseconds(300));
    ASSERT_GT(cluster_.lease(1).holder().state().seen, first_);
    cluster_.pass(seconds(15));
    EXPECT_TRUE(cluster_.gate_open(1));
    EXPECT_EQ(cluster_.lease(1).holder().epoch(), first_);
}

TEST_F(NodeStormTest, AResumedTunnelSpeaksOnWithoutARing) {
    cluster_.kill(1);
    ASSERT_TRUE(cluster_.promote(2).has_value());
    cluster_.pass(seconds(1));
    lose_rings();
    lapse();
    cluster_.pass(milliseconds(20));
    ASSERT_TRUE(cluster_.gate_open(2));
    const std::size_t before = cluster_.at(2).datagrams.size();
    cluster_.pass(seconds(30));
    EXPECT_GT(cluster_.at(2).datagrams.size(), before);
}

TEST_F(NodeStormTest, WhoIsDemotedBeforeTheGroupIsNotifiedHandsOver) {
    lose_rings();
    lapse();
    cluster_.pass(milliseconds(20));
    expect_to_serve_unnotified();
    ASSERT_TRUE(cluster_.begin_demote(1).has_value());
    form_rings();
    ASSERT_TRUE(cluster_.promote(2).has_value());
    cluster_.pass(milliseconds(200));
    EXPECT_FALSE(cluster_.gate_open(1));
    expect_all_to_follow(2);
}

// It was cut off, and its lease is heard again before its ring forms.
TEST_F(NodeStormTest, WhereAnotherNodeServedMeanwhileItClaimsNothing) {
    cluster_.split({1});
    cluster_.mute_leases({1});
    cluster_.pass(seconds(3));
    ASSERT_TRUE(cluster_.gate_open(3));
    ASSERT_EQ(cluster_.lease(1).holder().phase(), lease::Phase::claiming) << "in vain";
    const Epoch claimed = cluster_.lease(1).holder().epoch();
    const Epoch serves = cluster_.replica(3).epoch();
    cluster_.receive_leases_across();
    cluster_.mute_leases({});
    cluster_.pass(seconds(1));
    EXPECT_TRUE(cluster_.gate_open(3));
    EXPECT_FALSE(cluster_.gate_open(1));
    EXPECT_EQ(cluster_.lease(1).holder().epoch(), claimed) << "it bids no higher";
    cluster_.heal();
    cluster_.pass(seconds(12));
    expect_all_to_follow(3);
    EXPECT_EQ(cluster_.replica(3).epoch(), serves) << "its epoch is the highest";
}

TEST_F(NodeStormTest, AStopEndsIt) {
    lose_rings();
    lapse();
    cluster_.pass(milliseconds(20));
    expect_to_serve_unnotified();
    EXPECT_TRUE(cluster_.detach(1).has_value());
    cluster_.pass(seconds(3));
    EXPECT_FALSE(cluster_.gate_open(1));
    form_rings();
    cluster_.pass(seconds(3));
    EXPECT_FALSE(cluster_.gate_open(1));
}

}  // namespace node_storm_test
}  // namespace vpnha::node
