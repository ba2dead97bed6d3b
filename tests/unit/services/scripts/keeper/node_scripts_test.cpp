// SPDX-License-Identifier: GPL-2.0-or-later
// pppd's scripts for the L2TP sessions of whole nodes: they run where a session was resumed, and
// nowhere else.
#include <gmock/gmock.h>

#include "protocols/l2tp/work.hpp"
#include "services/scripts/work.hpp"
#include "unit/cluster/node/sample_session.hpp"

namespace vpnha::node {
namespace node_scripts_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class NodeScriptsTest : public ::testing::Test {
  protected:
    explicit NodeScriptsTest(bool on = true) : cluster_(0, 3) {
        cluster_.have_resume_scripts(on);
        for (const std::uint32_t node : {1U, 2U, 3U}) {
            cluster_.start(node);
        }
        EXPECT_TRUE(cluster_.promote(1).has_value());
        up(1, 1);
    }
    void up(std::uint32_t node, std::uint16_t number, const std::string& obstacle = {}) {
        l2tp::SessionRecord record = session(number);
        record.facts.established_unix_ms = cluster_.unix_ms();
        came_up_at_ = cluster_.at(node).node->find(kGateway)->cores().clock.when(
            record.facts.established_unix_ms);
        if (number == 6) {
            record.facts.ipv6 = ppp::Ipv6Identifiers{1, 2};
        }
        cluster_.run(node, cluster_.at(node).node->on_plugin_up(
                               number, "l2tp", stock_session(record), obstacle, cluster_.now()));
    }
    void fail_over(std::uint32_t from, std::uint32_t to) {
        cluster_.kill(from);
        cluster_.pass(seconds(2));
        ASSERT_TRUE(cluster_.promote(to));
        cluster_.pass(milliseconds(500));
    }
    // "up 1", "down 1", in order, since the last call.
    std::vector<std::string> scripts(std::uint32_t node) {
        std::vector<std::string> notified;
        for (const ScriptWork& work : std::exchange(cluster_.at(node).scripts, {})) {
            const auto number = [](const wire::RecordKey& session) {
                return std::to_string(l2tp::parse_key(session.id.view()).value().id.value);
            };
            if (const auto* const up = std::get_if<RunUpScripts>(&work)) {
                notified.push_back("up " + number(up->session));
                facts_ = up->facts;
            } else if (const auto* const stock = std::get_if<RunStockDownScripts>(&work)) {
                notified.push_back(stock->interface + " down " + number(stock->session));
                facts_ = stock->facts;
            } else {
                notified.push_back("down " + number(std::get<RunDownScripts>(work).session));
            }
        }
        return notified;
    }
    void end_first(std::uint32_t node) {
        cluster_.run(
            node,
            cluster_.at(node).node->end_session(
                4711, kGateway,
                cluster_.at(node).node->find(kGateway)->cores().keepers.sessions().at(0).record,
                cluster_.now()));
    }

    FakeCluster cluster_;
    ScriptFacts facts_;
    TimePoint came_up_at_;
};

TEST_F(NodeScriptsTest, ASessionThatIsResumedComesUpOnItsNewNodeAlone) {
    EXPECT_THAT(scripts(1), IsEmpty()) << "its pppd runs them";
    fail_over(1, 2);
    EXPECT_THAT(scripts(2), ElementsAre("up 1"));
    EXPECT_THAT(scripts(3), IsEmpty());
    const ScriptFacts expected{
        "alice", session(1).facts.our_address, session(1).facts.peer_address, {}, came_up_at_};
    EXPECT_EQ(facts_, expected);
    cluster_.pass(seconds(20));
    EXPECT_THAT(scripts(2), IsEmpty());
}

TEST_F(NodeScriptsTest, ItsIpv6IsReportedAsWell) {
    up(1, 6);
    fail_over(1, 2);
    EXPECT_THAT(scripts(2), ElementsAre("up 1", "up 6"));
    EXPECT_EQ(facts_.ipv6, (ppp::Ipv6Identifiers{1, 2}));
}

TEST_F(NodeScriptsTest, ItGoesDownWhereItEnds) {
    fail_over(1, 2);
    EXPECT_THAT(scripts(2), ElementsAre("up 1"));
    end_first(2);
    cluster_.pass(seconds(1));
    EXPECT_THAT(scripts(2), ElementsAre("down 1"));
    EXPECT_THAT(scripts(3), IsEmpty());
}

TEST_F(NodeScriptsTest, ItMovesWithThePromotion) {
    fail_over(1, 2);
    EXPECT_THAT(scripts(2), ElementsAre("up 1"));
    cluster_.start(1);
    cluster_.pass(seconds(2));
    ASSERT_TRUE(cluster_.begin_demote(2));
    EXPECT_THAT(scripts(2), IsEmpty()) << "it serves on, until its successor has taken over";
    ASSERT_TRUE(cluster_.promote(3));
    cluster_.pass(seconds(3));
    EXPECT_THAT(scripts(2), ElementsAre("down 1"));
    EXPECT_THAT(scripts(3), ElementsAre("up 1"));
    EXPECT_THAT(scripts(1), IsEmpty());
}

// A demotion kills its pppd.
TEST_F(NodeScriptsTest, AStockSessionThatIsGivenAwayGoesDown) {
    ASSERT_TRUE(cluster_.begin_demote(1));
    EXPECT_THAT(scripts(1), IsEmpty());
    ASSERT_TRUE(cluster_.promote(2));
    cluster_.pass(seconds(3));
    EXPECT_THAT(scripts(1), ElementsAre("ppp0 down 1"));
    EXPECT_EQ(facts_.peer_address, session(1).facts.peer_address);
    EXPECT_THAT(scripts(2), ElementsAre("up 1"));
}

// A node that has no lease for a moment keeps what its scripts have done.
TEST_F(NodeScriptsTest, APauseRunsNone) {
    fail_over(1, 2);
    EXPECT_THAT(scripts(2), ElementsAre("up 1"));
    cluster_.mute_leases({3});
    cluster_.pass(seconds(1));
    EXPECT_FALSE(cluster_.gate_open(2));
    cluster_.mute_leases({});
    cluster_.pass(seconds(2));
    EXPECT_TRUE(cluster_.gate_open(2));
    EXPECT_THAT(scripts(2), IsEmpty());
    end_first(2);
    cluster_.pass(seconds(1));
    EXPECT_THAT(scripts(2), ElementsAre("down 1"));
}

// What became of it meanwhile is seen when the lease is back.
TEST_F(NodeScriptsTest, WhatThePauseHasCostItGoesDown) {
    fail_over(1, 2);
    EXPECT_THAT(scripts(2), ElementsAre("up 1"));
    cluster_.mute_leases({3});
    cluster_.pass(seconds(1));
    cluster_.at(2).refuses_sessions = true;
    cluster_.run(
        2, cluster_.at(2).node->on_event(kGateway, SessionGone{session(1).key}, cluster_.now()));
    cluster_.mute_leases({});
    cluster_.pass(seconds(2));
    EXPECT_THAT(scripts(2), ElementsAre("down 1"));
}

TEST_F(NodeScriptsTest, OneThatIsLostAtTheTakeoverHasNone) {
    up(1, 2, "its pppd has CCP");
    fail_over(1, 2);
    EXPECT_THAT(scripts(2), ElementsAre("up 1"));
}

TEST_F(NodeScriptsTest, OneThatAPppdHasAnewGoesDown) {
    fail_over(1, 2);
    EXPECT_THAT(scripts(2), ElementsAre("up 1"));
    up(2, 1);
    EXPECT_THAT(scripts(2), ElementsAre("down 1"));
}

class NodeWithoutScriptsTest : public NodeScriptsTest {
  protected:
    NodeWithoutScriptsTest() : NodeScriptsTest(false) {}
};

TEST_F(NodeWithoutScriptsTest, NobodyRunsThemUnlessWanted) {
    ASSERT_TRUE(cluster_.begin_demote(1));
    ASSERT_TRUE(cluster_.promote(2));
    cluster_.pass(seconds(3));
    EXPECT_THAT(scripts(1), IsEmpty());
    end_first(2);
    cluster_.pass(seconds(1));
    EXPECT_THAT(scripts(2), IsEmpty());
}

}  // namespace node_scripts_test
}  // namespace vpnha::node
