// SPDX-License-Identifier: GPL-2.0-or-later
// Sessions that the promoted node's kernel does not have: their clients are told.
#include <gmock/gmock.h>

#include "unit/cluster/node/sample_session.hpp"

namespace vpnha::node {
namespace node_lost_sessions_test {

class NodeLostSessionsTest : public ::testing::Test {
  protected:
    void bring_up(const l2tp::SessionRecord& record) {
        cluster_.run(1, cluster_.at(1).node->on_plugin_up(8, "l2tp", stock_session(record), "",
                                                          cluster_.now()));
    }
    [[nodiscard]] std::uint64_t lost_at(std::uint32_t id) {
        return cluster_.at(id).node->find(kGateway)->cores().keepers.counts().at("sessions_lost");
    }
    // Whether the client of that tunnel is told that it has ended, having acknowledged what else it
    // was sent.
    [[nodiscard]] bool is_notified(std::uint32_t id, const l2tp::TunnelKey& tunnel) {
        constexpr int kMessagesBefore = 3;
        for (int i = 0; i < kMessagesBefore; ++i) {
            for (const Bytes& datagram : std::exchange(cluster_.at(id).datagrams, {})) {
                const test::L2tpSent sent = test::open_datagram(datagram);
                if (sent.header.tunnel != tunnel.peer_id || !sent.type) {
                    continue;
                }
                if (sent.type == l2tp::MessageType::stopccn) {
                    return true;
                }
                acknowledge(cluster_, id, tunnel, sent);
            }
        }
        return false;
    }

    FakeCluster cluster_ = with_one_session();
};

TEST_F(NodeLostSessionsTest, WhatTheKernelRefusesAfterThePromotionIsGivenUp) {
    cluster_.at(3).answers_installs = false;
    bring_up(session(2));
    cluster_.kill(1);
    ASSERT_TRUE(cluster_.promote(3).has_value());
    cluster_.answer_install(3, fail(Errc::system, "no memory"));
    EXPECT_EQ(lost_at(3), 1U);
    EXPECT_EQ(cluster_.replica(2).store().count(), 1U);
    EXPECT_TRUE(is_notified(3, session(2).key.tunnel));
}

TEST_F(NodeLostSessionsTest, OneAloneInItsTunnelIsReportedToItsPeer) {
    cluster_.at(2).refuses_sessions = true;
    bring_up(session(2));
    cluster_.kill(1);
    ASSERT_TRUE(cluster_.promote(2).has_value());
    EXPECT_EQ(lost_at(2), 1U);
    EXPECT_EQ(cluster_.replica(3).store().count(), 1U);
    EXPECT_FALSE(is_notified(2, session(1).key.tunnel));
    cluster_.pass(std::chrono::seconds(1));
    EXPECT_TRUE(is_notified(2, session(2).key.tunnel));
}

TEST_F(NodeLostSessionsTest, OneOfALivingTunnelIsReportedToItsPeer) {
    l2tp::SessionRecord second = session(1);
    second.key.id = SessionId{77};
    cluster_.at(2).refuses_sessions = true;
    bring_up(second);
    cluster_.kill(1);
    ASSERT_TRUE(cluster_.promote(2).has_value());
    EXPECT_EQ(lost_at(2), 1U);
    EXPECT_EQ(state_of_only_session(cluster_.at(2)), keepers::SessionState::resumed);
    EXPECT_EQ(cluster_.replica(3).store().count(), 1U);
    EXPECT_FALSE(is_notified(2, second.key.tunnel));
}

// Their clients dial again at once: not all of them in one moment.
TEST_F(NodeLostSessionsTest, ManyAreReportedAtAPace) {
    constexpr std::uint16_t kMany = 20;
    cluster_.at(2).refuses_sessions = true;
    for (std::uint16_t number = 2; number < 2 + kMany; ++number) {
        bring_up(session(number));
    }
    cluster_.kill(1);
    ASSERT_TRUE(cluster_.promote(2).has_value());
    EXPECT_LT(lost_at(2), kMany / 2U);
    cluster_.pass(std::chrono::milliseconds(250));
    EXPECT_EQ(lost_at(2), kMany);
    EXPECT_EQ(cluster_.replica(3).store().count(), 1U);
}

}  // namespace node_lost_sessions_test
}  // namespace vpnha::node
