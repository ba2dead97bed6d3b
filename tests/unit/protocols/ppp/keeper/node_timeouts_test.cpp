// SPDX-License-Identifier: GPL-2.0-or-later
// Session-Timeout and Idle-Timeout on whole nodes: they continue over failovers.
#include <gmock/gmock.h>

#include "services/accounting/work.hpp"
#include "unit/cluster/node/sample_session.hpp"

namespace vpnha::node {
namespace node_timeouts_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class NodeTimeoutsTest : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(cluster_.promote(1).has_value());
        traffic_[1] = traffic_[2] = {};
    }
    void up(std::uint16_t number, ppp::Timeouts timeouts, bool echo_is_adaptive = false) {
        l2tp::SessionRecord record = session(number);
        record.facts.echo_interval_s = echo_is_adaptive ? 2 : 0;
        record.facts.echo_failures = 3;
        record.facts.echo_is_adaptive = echo_is_adaptive;
        record.facts.established_unix_ms = cluster_.unix_ms();
        record.facts.timeouts = timeouts;
        cluster_.run(promoted_, cluster_.at(promoted_).node->on_plugin_up(
                                    number, "l2tp", stock_session(record), "", cluster_.now()));
    }
    // The clients acknowledge what their tunnels say.
    void acknowledge() {
        for (const Bytes& datagram : std::exchange(cluster_.at(promoted_).datagrams, {})) {
            const test::L2tpSent sent = test::open_datagram(datagram);
            if (sent.type) {
                node::acknowledge(cluster_, promoted_, tunnel_of_peer(sent.header.tunnel), sent);
            }
        }
    }
    static l2tp::TunnelKey tunnel_of_peer(TunnelId peer_id) {
        for (const std::uint16_t number : {std::uint16_t{1}, std::uint16_t{2}}) {
            if (session(number).key.tunnel.peer_id == peer_id) {
                return session(number).key.tunnel;
            }
        }
        ADD_FAILURE() << "nobody's tunnel: " << peer_id.value;
        return {};
    }
    void answer_all() {
        acknowledge();
        std::vector<DeviceTraffic> devices;
        for (const auto& [number, traffic] : traffic_) {
            devices.push_back({session(number).facts.peer_address, number, traffic});
        }
        for (const std::uint32_t node : {1U, 2U, 3U}) {
            if (!cluster_.lives(node)) {
                continue;
            }
            for (const AccountingWork& work : std::exchange(cluster_.at(node).accounting, {})) {
                EXPECT_EQ(node, promoted_);
                ++reads_;
                const AccountingEvent read =
                    TrafficRead{std::get<ReadTraffic>(work).ticket, devices};
                cluster_.run(node,
                             cluster_.at(node).node->on_event(kGateway, read, cluster_.now()));
            }
        }
    }
    void pass(Duration time) {
        const TimePoint end = cluster_.now() + time;
        answer_all();
        while (cluster_.now() < end) {
            cluster_.pass(std::min<Duration>(milliseconds(250), end - cluster_.now()));
            answer_all();
        }
    }
    void fail_over() {
        cluster_.kill(promoted_);
        const std::uint32_t dead = std::exchange(promoted_, promoted_ % 3 + 1);
        pass(seconds(2));
        ASSERT_TRUE(cluster_.promote(promoted_).has_value());
        cluster_.start(dead);
        pass(milliseconds(500));
    }
    [[nodiscard]] std::vector<keepers::SessionView> sessions() {
        return cluster_.at(promoted_).node->find(kGateway)->cores().keepers.sessions();
    }

    FakeCluster cluster_{3};
    std::uint32_t promoted_ = 1;
    std::map<std::uint16_t, Traffic> traffic_;
    int reads_ = 0;
};

TEST_F(NodeTimeoutsTest, ASessionsTimeContinuesOverAnyNumberOfFailovers) {
    const TimePoint begin = cluster_.now();
    up(1, {120, 0});
    up(2, {});
    EXPECT_EQ(reads_, 0) << "its pppd has it";
    for (int i = 0; i < 3; ++i) {
        pass(seconds(15));
        fail_over();
    }
    pass(seconds(118) - (cluster_.now() - begin));
    EXPECT_THAT(sessions(), SizeIs(2));
    cluster_.at(promoted_).frames.clear();
    pass(seconds(3));
    ASSERT_THAT(sessions(), SizeIs(1));
    EXPECT_EQ(sessions()[0].address, "10.200.1.2") << "without a limit it lives on";
    EXPECT_THAT(cluster_.at(promoted_).frames, SizeIs(1)) << "LCP Terminate-Request";
    EXPECT_THAT(cluster_.at(promoted_).log, Contains(HasSubstr("its Session-Timeout is over")));
    EXPECT_THAT(cluster_.at(promoted_).log, Not(Contains(HasSubstr("event=lost"))));
    pass(seconds(60));
    EXPECT_THAT(sessions(), SizeIs(1));
}

TEST_F(NodeTimeoutsTest, OneThatRanOutMeanwhileEndsAfterTheTakeover) {
    up(1, {1, 0});
    fail_over();
    EXPECT_THAT(sessions(), IsEmpty());
}

// As pppd's lcp-echo-adaptive: nobody answers an echo here.
TEST_F(NodeTimeoutsTest, ABusySessionWithAdaptiveEchoesLivesUntilItIsSilent) {
    up(1, {}, true);
    fail_over();
    for (int i = 0; i < 30; ++i) {
        pass(seconds(1));
        traffic_[1].packets_in += 1;
    }
    EXPECT_THAT(sessions(), SizeIs(1));
    pass(seconds(12));
    EXPECT_THAT(sessions(), IsEmpty());
    EXPECT_THAT(cluster_.at(promoted_).log, Contains(HasSubstr("left LCP echoes unanswered")));
}

TEST_F(NodeTimeoutsTest, AnIdleSessionEndsAndABusyOneDoesNot) {
    up(1, {0, 60});
    up(2, {0, 60});
    fail_over();
    for (int i = 0; i < 59; ++i) {
        pass(seconds(1));
        traffic_[2].octets_in += 84;
        traffic_[2].packets_in += 1;
        ASSERT_THAT(sessions(), SizeIs(2)) << i;
    }
    for (int i = 0; i < 120; ++i) {
        pass(seconds(1));
        traffic_[2].packets_out += 1;
    }
    ASSERT_THAT(sessions(), SizeIs(1));
    EXPECT_EQ(sessions()[0].address, "10.200.1.2");
    EXPECT_THAT(cluster_.at(promoted_).log, Contains(HasSubstr("its Idle-Timeout is over")));
    EXPECT_LE(reads_, 20);
}

}  // namespace node_timeouts_test
}  // namespace vpnha::node
