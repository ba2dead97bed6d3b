// SPDX-License-Identifier: GPL-2.0-or-later
// Whole nodes whose clocks differ: what a session's age is, and which node is warned of.
#include <gmock/gmock.h>

#include "unit/cluster/node/sample_session.hpp"

namespace vpnha::node {
namespace node_clocks_test {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class NodeClocksTest : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(cluster_.promote(1).has_value()); }
    [[nodiscard]] const GatewayNode& gateway(std::uint32_t node) {
        return *cluster_.at(node).node->find(kGateway);
    }
    // How old that session is there.
    [[nodiscard]] Duration age(std::uint32_t node) {
        const auto sessions = gateway(node).cores().keepers.sessions();
        return sessions.empty()
                   ? Duration{}
                   : cluster_.now() -
                         gateway(node).cores().clock.when(sessions[0].established_unix_ms);
    }
    void expect_age(std::uint32_t node, Duration expected) {
        EXPECT_LT(std::chrono::abs(age(node) - expected), milliseconds(20));
    }
    void come_up() {
        l2tp::SessionRecord record = session(1);
        record.facts.established_unix_ms = gateway(1).cores().clock.at(cluster_.now());
        cluster_.run(1, cluster_.at(1).node->on_plugin_up(1, "l2tp", stock_session(record), "",
                                                          cluster_.now()));
    }
    FakeCluster cluster_{3};
};

TEST_F(NodeClocksTest, ASessionIsAsOldAtASuccessorWhoseClockIsADayOff) {
    cluster_.set_wall(2, kWall + hours(24));
    cluster_.set_wall(3, kWall - hours(1));
    come_up();
    cluster_.pass(seconds(30));
    expect_age(1, seconds(30));
    expect_age(2, seconds(30));
    cluster_.kill(1);
    ASSERT_TRUE(cluster_.promote(2).has_value());
    const Duration then = cluster_.now().time_since_epoch();
    cluster_.pass(seconds(20));
    // Its own node comes back, and a third one, whose clock is wrong in another way, continues.
    cluster_.start(1);
    cluster_.pass(seconds(5));
    cluster_.kill(2);
    ASSERT_TRUE(cluster_.promote(3).has_value());
    EXPECT_GT(age(3), seconds(55));
    EXPECT_LT(age(3), seconds(30) + (cluster_.now().time_since_epoch() - then) + seconds(5));
    expect_age(1, age(3));
}

TEST_F(NodeClocksTest, WhoJoinsWhileNobodyServesReceivesTheTime) {
    cluster_.set_wall(2, kWall + hours(24));
    cluster_.set_wall(3, kWall + hours(24));
    come_up();
    cluster_.pass(seconds(1));
    cluster_.kill(3);
    cluster_.kill(1);
    cluster_.start(3);
    cluster_.pass(seconds(3));
    ASSERT_TRUE(cluster_.promote(3).has_value());
    EXPECT_LT(age(3), seconds(30)) << "not a day";
}

TEST_F(NodeClocksTest, AStandbyWhoseClockDiffersIsNamedAndWorthLess) {
    cluster_.set_wall(2, kWall - seconds(5));
    cluster_.pass(seconds(25));
    EXPECT_EQ(gateway(2).view().score(), 90);
    EXPECT_EQ(gateway(2).view().standing(), wire::Level::complete) << "it may be moved to";
    EXPECT_THAT(gateway(2).view().blockers(),
                ElementsAre("this node's clock is 5.0 s behind that of gw1, which serves"));
    EXPECT_THAT(cluster_.at(2).log, Contains(HasSubstr("event=clocks-differ")));
    EXPECT_EQ(gateway(3).view().score(), 100);
    EXPECT_EQ(gateway(1).view().score(), 100);
    cluster_.at(2).log.clear();
    cluster_.set_wall(2, kWall);
    cluster_.pass(seconds(25));
    EXPECT_EQ(gateway(2).view().score(), 100);
    EXPECT_THAT(gateway(2).view().blockers(), IsEmpty());
    EXPECT_THAT(cluster_.at(2).log, Contains(HasSubstr("event=clocks-differ")));
    // Whoever serves is measured against nobody.
    cluster_.set_wall(2, kWall - seconds(5));
    cluster_.pass(seconds(25));
    cluster_.kill(1);
    ASSERT_TRUE(cluster_.promote(2).has_value());
    EXPECT_THAT(gateway(2).view().blockers(), IsEmpty());
    cluster_.pass(seconds(25));
    EXPECT_THAT(gateway(3).view().blockers(),
                ElementsAre("this node's clock is 5.0 s ahead of that of gw2, which serves"));
}

}  // namespace node_clocks_test
}  // namespace vpnha::node
