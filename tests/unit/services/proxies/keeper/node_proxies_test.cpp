// SPDX-License-Identifier: GPL-2.0-or-later
// Who answers ARP for the clients of L2TP sessions, in whole nodes.
#include <gmock/gmock.h>

#include "services/proxies/work.hpp"
#include "unit/cluster/node/sample_session.hpp"

namespace vpnha::node {
namespace node_proxies_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class NodeProxiesTest : public ::testing::Test {
  protected:
    NodeProxiesTest() : cluster_(3) {
        EXPECT_TRUE(cluster_.promote(1).has_value());
        up(1, 1);
    }
    void up(std::uint32_t node, std::uint16_t number, const std::string& obstacle = {}) {
        l2tp::SessionRecord record = session(number);
        record.facts.proxied = {{LinkSide::inside, IpAddress(record.facts.peer_address)}};
        cluster_.run(node, cluster_.at(node).node->on_plugin_up(
                               number, "l2tp", stock_session(record), obstacle, cluster_.now()));
    }
    void fail_over(std::uint32_t from, std::uint32_t to) {
        cluster_.kill(from);
        cluster_.pass(seconds(2));
        ASSERT_TRUE(cluster_.promote(to));
        cluster_.pass(milliseconds(500));
    }
    // "inside 10.200.1.1", "not inside 10.200.1.1", in order, since the last call.
    std::vector<std::string> notified(std::uint32_t node) {
        std::vector<std::string> lines;
        for (const ProxyWork& work : std::exchange(cluster_.at(node).proxies, {})) {
            std::visit(
                [&lines](const auto& each) {
                    const bool starts =
                        std::is_same_v<std::decay_t<decltype(each)>, AnswerForClient>;
                    for (const ppp::ProxiedAddress& proxied : each.addresses) {
                        lines.push_back((starts ? "" : "not ") +
                                        std::string(to_string(proxied.side)) + " " +
                                        to_string(proxied.address));
                    }
                },
                work);
        }
        return lines;
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
};

TEST_F(NodeProxiesTest, TheSuccessorAloneDoesSoUntilTheSessionEnds) {
    EXPECT_THAT(notified(1), IsEmpty()) << "its pppd has done it";
    fail_over(1, 2);
    EXPECT_THAT(notified(2), ElementsAre("inside 10.200.1.1"));
    cluster_.pass(seconds(20));
    EXPECT_THAT(notified(2), IsEmpty());
    end_first(2);
    cluster_.pass(seconds(1));
    EXPECT_THAT(notified(2), ElementsAre("not inside 10.200.1.1"));
    EXPECT_THAT(notified(3), IsEmpty());
}

TEST_F(NodeProxiesTest, ItMovesWithThePromotion) {
    fail_over(1, 2);
    EXPECT_THAT(notified(2), ElementsAre("inside 10.200.1.1"));
    cluster_.start(1);
    cluster_.pass(seconds(2));
    ASSERT_TRUE(cluster_.begin_demote(2));
    ASSERT_TRUE(cluster_.promote(3));
    cluster_.pass(seconds(3));
    EXPECT_THAT(notified(2), ElementsAre("not inside 10.200.1.1"));
    EXPECT_THAT(notified(3), ElementsAre("inside 10.200.1.1"));
}

// A demotion kills its pppd, which leaves the entry behind.
TEST_F(NodeProxiesTest, WhatPppdLeavesBehindGoesWithTheDemotion) {
    ASSERT_TRUE(cluster_.begin_demote(1));
    ASSERT_TRUE(cluster_.promote(2));
    cluster_.pass(seconds(3));
    EXPECT_THAT(notified(1), ElementsAre("not inside 10.200.1.1"));
}

TEST_F(NodeProxiesTest, APauseChangesNothing) {
    fail_over(1, 2);
    EXPECT_THAT(notified(2), ElementsAre("inside 10.200.1.1"));
    cluster_.mute_leases({3});
    cluster_.pass(seconds(1));
    EXPECT_FALSE(cluster_.gate_open(2));
    cluster_.mute_leases({});
    cluster_.pass(seconds(2));
    EXPECT_TRUE(cluster_.gate_open(2));
    EXPECT_THAT(notified(2), IsEmpty());
}

TEST_F(NodeProxiesTest, AClientThatIsNotifiedOfItsEndIsNotAnsweredFor) {
    up(1, 2, "its pppd has CCP");
    fail_over(1, 2);
    EXPECT_THAT(notified(2), ElementsAre("inside 10.200.1.1"));
}

// Its pppd has made the same entry before the plugin reports it.
TEST_F(NodeProxiesTest, OneThatAPppdHasAnewIsLeftToIt) {
    fail_over(1, 2);
    EXPECT_THAT(notified(2), ElementsAre("inside 10.200.1.1"));
    up(2, 1);
    EXPECT_THAT(notified(2), IsEmpty());
}

}  // namespace node_proxies_test
}  // namespace vpnha::node
