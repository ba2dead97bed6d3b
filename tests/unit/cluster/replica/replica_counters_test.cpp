// SPDX-License-Identifier: GPL-2.0-or-later
// Records of the service `checkpoint`: the newest value counts, and who has it.
#include <gmock/gmock.h>

#include "group.hpp"

namespace vpnha::replica {
namespace replica_counters_test {

using std::chrono::milliseconds;

const wire::RecordKey kCounter{wire::RecordType::esp_counters, wire::RecordId(Bytes{1})};
const wire::RecordKey kFlow{wire::RecordType::flow, wire::RecordId(Bytes{1})};

std::size_t updates(const Group& group) {
    const auto emitted = group.emitted.find(wire::Message(wire::Update{}).index());
    return emitted == group.emitted.end() ? 0 : emitted->second;
}

TEST(ReplicaCountersTest, CountersAreGatheredAndTheLatestIsReported) {
    Group group = three_with_first_promoted();
    const std::size_t before = updates(group);
    for (std::uint8_t value = 1; value <= 50; ++value) {
        group.at(1).publish(kCounter, Bytes{value});
        group.pass(milliseconds(2));
    }
    EXPECT_FALSE(group.at(1).has_emitted_counters());
    group.pass(milliseconds(100));
    EXPECT_TRUE(group.at(1).has_emitted_counters());
    EXPECT_EQ(updates(group), before + 1);
    EXPECT_EQ(group.at(3).store().find(kCounter)->payload.copy(), Bytes{50});
}

TEST(ReplicaCountersTest, WhatSomebodyWaitsForIsReportedAtOnceAndFlowsAreNot) {
    Group group = three_with_first_promoted();
    group.at(1).publish(kFlow, Bytes{1});
    group.at(1).publish(kCounter, Bytes{1});
    group.at(1).hurry_counters();
    group.settle();
    EXPECT_TRUE(group.at(1).has_emitted_counters());
    EXPECT_EQ(group.at(1).delivered(), 1U);
    EXPECT_EQ(group.at(1).dirty(), 1U) << "the flow";
}

TEST(ReplicaCountersTest, DeliveredIsWhatCameRound) {
    Group group = three_with_first_promoted();
    group.at(1).publish(kCounter, Bytes{1});
    group.at(1).hurry_counters();
    group.run(NodeId{1}, group.at(1).flush(group.now()));
    EXPECT_EQ(group.at(1).sequence(), 1U);
    EXPECT_EQ(group.at(1).delivered(), 0U);
    group.settle();
    EXPECT_EQ(group.at(1).delivered(), 1U);
    group.promote(2);
    EXPECT_EQ(group.at(2).delivered(), 0U) << "of another epoch";
}

TEST(ReplicaCountersTest, ItHoldsWhatItsEpochReportedAndAllOfThoseBefore) {
    Group group = three_with_first_promoted();
    const Epoch first = group.at(1).epoch();
    group.at(1).publish(key(1), Bytes{1});
    group.settle();
    EXPECT_TRUE(group.at(2).holds(first, 1));
    EXPECT_FALSE(group.at(2).holds(first, 2));
    EXPECT_FALSE(group.at(2).holds({first.number + 1, NodeId{3}}, 0));
    group.promote(2);
    EXPECT_TRUE(group.at(3).holds(first, 1));
    group.run(NodeId{3}, group.at(3).resync(group.now()));
    EXPECT_FALSE(group.at(3).holds(first, 1)) << "it resyncs";
}

TEST(ReplicaCountersTest, WhatASlowStandbyHasNotConfirmedIsNotConfirmed) {
    Group group = three_with_first_promoted();
    group.split({});  // All say hello.
    EXPECT_EQ(group.at(1).confirmed_by_standbys(), 0U);
    group.kernels_answer = false;
    group.at(1).publish(kCounter, Bytes{1});
    group.pass(milliseconds(100));
    group.pass(milliseconds(100));
    ASSERT_EQ(group.installing.size(), 2U);
    group.answer_install(Outcome::installed);
    EXPECT_EQ(group.at(1).confirmed_by_standbys(), 0U);
    group.answer_install(Outcome::installed);
    EXPECT_EQ(group.at(1).confirmed_by_standbys(), 1U);
}

TEST(ReplicaCountersTest, WithoutAStandbyNothingIsConfirmed) {
    Group group;
    group.join(1);
    group.promote(1);
    EXPECT_EQ(group.at(1).confirmed_by_standbys(), std::nullopt);
}

TEST(ReplicaCountersTest, ADemotedNodesCountersAreInstalledAgain) {
    Group group = three_with_first_promoted();
    group.at(1).publish(kCounter, Bytes{1});
    group.pass(milliseconds(100));
    group.pass(milliseconds(100));
    group.at(1).end_epoch(group.now());
    group.run(NodeId{1}, group.at(1).install_missing());
    EXPECT_EQ(group.at(1).hold(kCounter), Hold::installed);
}

}  // namespace replica_counters_test
}  // namespace vpnha::replica
