// SPDX-License-Identifier: GPL-2.0-or-later
// Two whole nodes beside a witness fence each other.
#include <gmock/gmock.h>

#include <array>

#include "unit/cluster/node/witness/pairs.hpp"

namespace vpnha::node {
namespace node_duel_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr Duration kPatience = seconds(10);
// A mark, and what is asked each 50 ms.
constexpr Duration kMark = milliseconds(650);

RequestToken begin_fence(FakeCluster& cluster, std::uint32_t by) {
    static RequestToken next = 1000;
    const RequestToken request = next++;
    const NodeId victim{3 - by};
    cluster.run(by, cluster.at(by).node->fence(request, victim, kPatience, cluster.now()));
    return request;
}

// They lose each other, and node 1 fences first.
FakeCluster lost_duel() {
    FakeCluster cluster = pair_with_witness();
    cluster.split({2});
    begin_fence(cluster, 1);
    cluster.pass(seconds(5));
    begin_fence(cluster, 2);
    cluster.pass(milliseconds(100));
    return cluster;
}

bool is_answered(FakeCluster& cluster, std::uint32_t node, RequestToken request) {
    return cluster.at(node).answers.contains(request);
}

bool is_done(FakeCluster& cluster, std::uint32_t node, RequestToken request) {
    return is_answered(cluster, node, request) && cluster.at(node).answers.at(request).has_value();
}

Error error_of(FakeCluster& cluster, std::uint32_t node, RequestToken request) {
    if (!is_answered(cluster, node, request) || is_done(cluster, node, request)) {
        ADD_FAILURE() << "no error";
        return {};
    }
    return cluster.at(node).answers.at(request).error();
}

TEST(NodeDuelTest, TheNodeThatServesIsLeft) {
    FakeCluster cluster = pair_with_witness();
    cluster.split({2});
    const RequestToken by_standby = begin_fence(cluster, 2);
    cluster.pass(milliseconds(700));
    EXPECT_THAT(cluster.at(2).log, Contains(HasSubstr("event=fence-waits")));
    const RequestToken by_holder = begin_fence(cluster, 1);
    cluster.pass(milliseconds(100));
    EXPECT_TRUE(is_done(cluster, 1, by_holder)) << "nobody had promised node 2 anything";
    EXPECT_THAT(cluster.at(1).log, Not(Contains(HasSubstr("event=fence-waits"))));
    for (Duration passed{}; passed < seconds(4); passed += milliseconds(20)) {
        ASSERT_FALSE(is_answered(cluster, 2, by_standby));
        ASSERT_TRUE(cluster.gate_open(1));
        cluster.pass(milliseconds(20));
    }
    EXPECT_FALSE(cluster.at(2).node->has_lost_to(NodeId{1}, cluster.now())) << "it has not asked";
    cluster.pass(seconds(1));
    EXPECT_EQ(error_of(cluster, 2, by_standby).code, Errc::busy);
    EXPECT_THAT(cluster.at(2).log, Contains(HasSubstr("event=fence-refused")));
    EXPECT_FALSE(cluster.at(2).fenced) << "a witness's word";
    EXPECT_TRUE(cluster.gate_open(1));
}

TEST(NodeDuelTest, TheLoserLeavesTheWinnerTheTimeToSwitchItOff) {
    FakeCluster cluster = lost_duel();
    const auto has_lost = [&](std::uint32_t node) {
        return cluster.at(node).node->has_lost_to(NodeId{3 - node}, cluster.now());
    };
    EXPECT_TRUE(has_lost(2));
    EXPECT_FALSE(has_lost(1));
    cluster.pass(milliseconds(24'800));
    EXPECT_TRUE(has_lost(2));
    cluster.pass(milliseconds(200));
    EXPECT_FALSE(has_lost(2)) << "that one's power device may not work";
}

TEST(NodeDuelTest, WithoutTheWitnessALostDuelReportsNothing) {
    FakeCluster cluster = lost_duel();
    cluster.kill_witness();
    cluster.pass(seconds(3));
    EXPECT_FALSE(cluster.at(2).node->has_lost_to(NodeId{1}, cluster.now()));
}

TEST(NodeDuelTest, AHolderThatFencesNobodyIsMarkedAfterFiveSeconds) {
    FakeCluster cluster = pair_with_witness();
    cluster.split({2});
    const RequestToken request = begin_fence(cluster, 2);
    cluster.pass(milliseconds(4'900));
    EXPECT_TRUE(cluster.gate_open(1));
    cluster.pass(milliseconds(100) + kMark);
    EXPECT_TRUE(is_done(cluster, 2, request));
    EXPECT_FALSE(cluster.gate_open(1));
}

TEST(NodeDuelTest, AStandbyDoesNotWaitForADeadNode) {
    for (const bool stand_in : {false, true}) {
        FakeCluster cluster = pair_with_witness(stand_in);
        cluster.lose_power(1);
        cluster.pass(milliseconds(650));
        cluster.form_ring();
        const RequestToken request = begin_fence(cluster, 2);
        cluster.pass(milliseconds(150));
        EXPECT_TRUE(is_done(cluster, 2, request)) << stand_in;
    }
}

TEST(NodeDuelTest, AMemberIsMarkedAtOnce) {
    FakeCluster cluster = pair_with_witness();
    const RequestToken request = begin_fence(cluster, 2);
    cluster.pass(milliseconds(100));
    EXPECT_TRUE(cluster.at(1).fenced);
    cluster.pass(kMark);
    EXPECT_TRUE(is_done(cluster, 2, request));
}

TEST(NodeDuelTest, WhereTheWitnessIsNotReceivedItFails) {
    FakeCluster cluster = pair_with_witness();
    cluster.split({2});
    const RequestToken waits = begin_fence(cluster, 2);
    cluster.kill_witness();
    cluster.pass(seconds(3) + milliseconds(100));
    EXPECT_EQ(error_of(cluster, 2, waits).code, Errc::unreachable);
    const RequestToken late = begin_fence(cluster, 2);
    EXPECT_THAT(error_of(cluster, 2, late).detail, HasSubstr("the witness does not answer"));
}

// A node with two gateways, and what it asks the witness.
class TwoGateways {
  public:
    TwoGateways() {
        Settings settings;
        settings.self = NodeId{1};
        for (const std::uint8_t id : kGateways) {
            GatewaySettings gateway;
            gateway.id = GatewayId{id};
            gateway.name = "g" + std::to_string(id);
            gateway.lease.self = {NodeId{1}, {}, lease::Instance{1}};
            gateway.lease.voters = {NodeId{1}, NodeId{2}, lease::kWitness};
            gateway.durable.emplace();
            gateway.durable->voters.current = {{{0, NodeId{1}}, 0}, gateway.lease.voters};
            settings.gateways.push_back(gateway);
        }
        node.emplace(std::move(settings));
        static_cast<void>(node->on_members({NodeId{1}}, true, kNow));
        for (const std::uint8_t id : kGateways) {
            emit(id, {NodeId{2}, kOther, lease::Instance{2}}, lease::Hello{});
            emit(id, kWitnessLife, lease::Hello{});
        }
    }
    void emit(std::uint8_t gateway, const lease::Sender& sender, const lease::Message& message) {
        run(node->on_lease_message(GatewayId{gateway}, sender, message, kNow));
    }
    void run(const Effects& effects) {
        for (const Effect& effect : effects) {
            if (const auto* save = std::get_if<SaveLease>(&effect)) {
                run(node->on_lease_saved(save->gateway, save->ticket, {}, kNow));
            } else if (const auto* send = std::get_if<SendLease>(&effect);
                       send != nullptr &&
                       std::holds_alternative<lease::MarkRequest>(send->message)) {
                asked.emplace_back(send->gateway.value, send->to);
            }
        }
    }
    // The witness has marked node 2 on that gateway, for this node.
    void agree(std::uint8_t gateway) {
        lease::MarkAnswer answer{
            NodeId{2}, kOther, false,
            node->find(GatewayId{gateway})->cores().lease.engine().state().voters};
        answer.marks = {{NodeId{2}, kOther}};
        emit(gateway, kWitnessLife, answer);
    }

    static constexpr std::array<std::uint8_t, 2> kGateways{1, 2};
    static constexpr TimePoint kNow{std::chrono::hours(1)};
    static constexpr lease::BootId kOther{{2}};
    const lease::Sender kWitnessLife{lease::kWitness, {}, lease::Instance{3}};
    std::optional<Node> node;
    std::vector<std::pair<unsigned, NodeId>> asked;
};

// Otherwise each of two nodes might get through on one of them, and neither on both.
TEST(NodeDuelTest, TheFirstGatewayDecidesForAllOfThem) {
    TwoGateways two;
    two.emit(1, two.kWitnessLife, lease::Opinion{{}, lease::Verdict::answered, {}, {}});
    two.emit(2, two.kWitnessLife, lease::Opinion{{}, lease::Verdict::answered, {}, {}});
    two.run(two.node->fence(1, NodeId{2}, kPatience, TwoGateways::kNow));
    using Asked = std::vector<std::pair<unsigned, NodeId>>;
    EXPECT_EQ(two.asked, (Asked{{1, lease::kWitness}}));
    two.asked.clear();
    two.agree(1);
    EXPECT_THAT(two.asked, Contains(std::pair(2U, lease::kWitness)));
    EXPECT_THAT(two.asked, Contains(std::pair(1U, NodeId{2})));
    EXPECT_THAT(two.asked, Not(Contains(std::pair(2U, NodeId{2}))));
    two.agree(2);
    EXPECT_THAT(two.asked, Contains(std::pair(2U, NodeId{2})));
}

}  // namespace node_duel_test
}  // namespace vpnha::node
