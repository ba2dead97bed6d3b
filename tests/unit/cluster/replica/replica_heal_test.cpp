// SPDX-License-Identifier: GPL-2.0-or-later
// Joins, losses, partitions: how replicas become equal again.
#include <gmock/gmock.h>

#include "base/limits.hpp"
#include "cluster/replica/replica.hpp"
#include "group.hpp"

namespace vpnha::replica {
namespace replica_heal_test {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Positions in wire::Message.
template <class Body>
std::size_t count_of(const Group& group) {
    const auto found = group.emitted.find(wire::Message(Body{}).index());
    return found == group.emitted.end() ? 0 : found->second;
}

// The next update of node 1 is lost on its way to everybody.
void lose_an_update(Group& group) {
    group.run(NodeId{1}, group.at(1).flush(group.now()));
    group.queue().clear();
}

TEST(ReplicaHealTest, WhoMissedAFewChangesReceivesTheDifferenceAlone) {
    Group group = three_with_first_promoted();
    for (std::uint32_t i = 0; i < 2000; ++i) {
        group.at(1).publish(key(i), Bytes(100));
    }
    group.settle();
    group.at(1).publish(key(5), Bytes{5});
    group.at(1).erase(key(6), group.now());
    lose_an_update(group);
    group.emitted.clear();
    group.at(1).publish(key(7), Bytes{7});
    group.settle();
    EXPECT_EQ(count_of<wire::Snapshot>(group), 1U);
    EXPECT_EQ(group.at(2).level(), wire::Level::complete);
    EXPECT_EQ(group.at(2).store().find(key(5))->payload, Bytes{5});
    EXPECT_FALSE(group.kernel(2).contains(key(6)));
    EXPECT_EQ(group.at(2).store().digest(), group.at(1).store().digest());
}

TEST(ReplicaHealTest, WhoMissedMoreThanTheTombstonesKnowReceivesEverything) {
    Group group = three_with_first_promoted();
    group.at(1).publish(key(1), Bytes{1});
    group.at(1).publish(key(2), Bytes{2});
    group.settle();
    group.at(1).erase(key(1), group.now());
    lose_an_update(group);
    group.pass(limits::kTombstoneLife);  // The digest that is due meanwhile tells node 2.
    EXPECT_EQ(group.at(2).store().digest(), group.at(1).store().digest());
    EXPECT_THAT(group.kernel(2), ElementsAre(key(2)));
    EXPECT_EQ(group.at(2).level(), wire::Level::complete);
}

TEST(ReplicaHealTest, ALossInAQuietTimeIsFoundByThePeriodicDigest) {
    Group group = three_with_first_promoted();
    group.at(1).publish(key(1), Bytes{1});
    lose_an_update(group);
    group.settle();
    EXPECT_EQ(group.at(2).store().count(), 0U);
    group.pass(limits::kDigestInterval);
    EXPECT_EQ(group.at(2).store().count(), 1U);
    EXPECT_TRUE(group.at(1).is_protected(key(1)));
    EXPECT_EQ(group.at(2).counters().gaps, 1U);
}

TEST(ReplicaHealTest, EqualNumbersWithOtherContentAreFoundByTheDigest) {
    Group group = three_with_first_promoted();
    group.at(1).publish(key(1), Bytes{1});
    group.run(NodeId{1}, group.at(1).flush(group.now()));
    auto& update = std::get<wire::Update>(group.queue().back().second);
    update.changes.front().payload = {9};
    group.settle();
    EXPECT_EQ(group.at(2).store().find(key(1))->payload, Bytes{9});
    group.pass(limits::kDigestInterval);
    EXPECT_EQ(group.at(2).counters().digest_mismatch, 1U);
    EXPECT_EQ(group.at(2).store().find(key(1))->payload, Bytes{1});
    EXPECT_EQ(group.at(2).store().digest(), group.at(1).store().digest());
}

TEST(ReplicaHealTest, AMessageThatCannotBeReadLeadsToAResync) {
    Group group = three_with_first_promoted();
    group.at(1).publish(key(1), Bytes{1});
    lose_an_update(group);
    group.run(NodeId{2}, group.at(2).on_malformed(NodeId{1}, group.now()));
    group.run(NodeId{2}, group.at(2).on_malformed(NodeId{3}, group.now()));  // Not its source.
    group.settle();
    EXPECT_EQ(group.at(2).counters().malformed, 1U);
    EXPECT_EQ(group.at(2).store().digest(), group.at(1).store().digest());
}

TEST(ReplicaHealTest, SeveralJoinersShareOnePass) {
    Group group;
    group.join(1);
    group.promote(1);
    for (std::uint32_t i = 0; i < 500; ++i) {
        group.at(1).publish(key(i), Bytes(100));
    }
    group.settle();
    group.at(1).publish(key(500), Bytes{1});
    for (const std::uint32_t node : {2U, 3U, 4U}) {
        const wire::SnapshotRequest request{kGateway, wire::ResyncReason::joined, {}};
        group.run(NodeId{1}, group.at(1).on_message(NodeId{node}, request, group.now()));
    }
    group.settle();
    EXPECT_EQ(group.at(1).counters().snapshots_sent, 1U);
}

TEST(ReplicaHealTest, ChangesContinueWhileAJoinerIsNotified) {
    Group group;
    group.join(1);
    group.promote(1);
    for (std::uint32_t i = 0; i < 2000; ++i) {
        group.at(1).publish(key(i), Bytes(1000));
    }
    group.settle();
    group.emitted.clear();
    const wire::SnapshotRequest request{kGateway, wire::ResyncReason::joined, {}};
    group.run(NodeId{1}, group.at(1).on_message(NodeId{9}, request, group.now()));
    group.run(NodeId{1}, group.at(1).flush(group.now()));
    EXPECT_EQ(count_of<wire::Snapshot>(group), limits::kChunksOnTheirWay);
    group.at(1).publish(key(1), Bytes{1});
    group.at(1).erase(key(2), group.now());
    group.run(NodeId{1}, group.at(1).flush(group.now()));
    EXPECT_EQ(count_of<wire::Update>(group), 1U) << "no chunk goes ahead of a change";
    EXPECT_EQ(count_of<wire::Snapshot>(group), limits::kChunksOnTheirWay);
}

TEST(ReplicaHealTest, WhatWaitsToBeReportedWhenAPassBeginsIsNotSweptAtItsEnd) {
    const wire::RecordKey counter{wire::RecordType::esp_counters, wire::RecordId(Bytes{1})};
    Group group = three_with_first_promoted();
    group.at(1).publish(counter, Bytes{1});
    group.pass(limits::kGatherPause);
    group.pass(limits::kGatherPause);
    ASSERT_FALSE(group.at(1).dirty());
    group.at(1).publish(counter, Bytes{2});
    group.run(NodeId{2}, group.at(2).resync(group.now()));
    group.settle();
    EXPECT_EQ(group.at(2).level(), wire::Level::complete);
    EXPECT_EQ(group.at(2).counters().discarded, 0U);
    EXPECT_EQ(group.at(2).store().find(counter)->payload.copy(), Bytes{2});
}

TEST(ReplicaHealTest, ASourceThatDiesHalfWayIsReplacedAndTheJoinerKeepsWhatItGot) {
    Group group = three_with_first_promoted();
    for (std::uint32_t i = 0; i < 2000; ++i) {
        group.at(1).publish(key(i), Bytes(1000));
    }
    group.settle();
    group.leave(3);
    // Node 3 comes back; its source dies after the first chunks.
    Replica joiner(kGateway, NodeId{3});
    joiner.on_members({NodeId{1}, NodeId{2}, NodeId{3}}, true, group.now());
    static_cast<void>(joiner.flush(group.now()));
    const wire::SnapshotRequest request{kGateway, wire::ResyncReason::joined, {}};
    group.run(NodeId{1}, group.at(1).on_message(NodeId{3}, request, group.now()));
    for (const Effect& effect : group.at(1).flush(group.now())) {
        static_cast<void>(
            joiner.on_message(NodeId{1}, std::get<Send>(effect).message, group.now()));
    }
    const std::uint32_t held = joiner.store().count();
    EXPECT_GT(held, 0U);
    EXPECT_EQ(joiner.level(), wire::Level::partial);
    joiner.on_members({NodeId{2}, NodeId{3}}, true, group.now());
    EXPECT_EQ(joiner.store().count(), held);
    EXPECT_EQ(joiner.resync_reason(), wire::ResyncReason::source_lost);
    const Effects asked = joiner.flush(group.now());
    EXPECT_TRUE(
        std::holds_alternative<wire::SnapshotRequest>(std::get<Send>(asked.back()).message));
}

TEST(ReplicaHealTest, APartialReplicaMayBePromotedAndTheOthersFollowIt) {
    Group group = three_with_first_promoted();
    group.at(1).publish(key(1), Bytes{1});
    group.settle();
    group.at(1).publish(key(2), Bytes{2});
    lose_an_update(group);  // Nobody but the holder has it.
    group.leave(1);
    group.promote(3);
    EXPECT_EQ(group.at(2).store().digest(), group.at(3).store().digest());
    EXPECT_EQ(group.at(2).store().find(key(2)), nullptr);
    EXPECT_TRUE(group.at(3).is_protected(key(1)));
}

TEST(ReplicaHealTest, TheSideWithoutTheMajorityGivesItsOwnStateUp) {
    Group group;
    for (std::uint32_t node = 1; node <= 5; ++node) {
        group.join(node);
    }
    group.promote(1);
    group.at(1).publish(key(1), Bytes{1});
    group.settle();
    group.split({1, 2});
    group.at(1).publish(key(1), Bytes{9});
    group.at(1).publish(key(2), Bytes{2});
    group.settle();
    EXPECT_EQ(group.at(2).store().count(), 2U);
    EXPECT_FALSE(group.at(1).is_protected(key(2))) << "no standby of a minority protects";
    group.promote(3);
    group.at(3).publish(key(3), Bytes{3});
    group.settle();
    group.split({});
    EXPECT_THAT(group.superseded, ElementsAre(1U));
    for (std::uint32_t node = 1; node <= 5; ++node) {
        EXPECT_EQ(group.at(node).store().digest(), group.at(3).store().digest()) << node;
        EXPECT_EQ(group.at(node).level(), wire::Level::complete) << node;
    }
    EXPECT_EQ(group.at(1).store().find(key(1))->payload, Bytes{1});
    EXPECT_EQ(group.at(1).store().find(key(2)), nullptr);
}

// Case 01: what goes is counted where the promoted node had less, and nowhere else.
TEST(ReplicaHealTest, SessionsThatAnIncompleteClaimantHasNotAreCountedAsLost) {
    for (const bool complete : {false, true}) {
        Group group;
        for (std::uint32_t node = 1; node <= 5; ++node) {
            group.join(node);
        }
        group.promote(1);
        group.at(1).publish(key(1), Bytes{1});
        group.at(1).publish(key(2), Bytes{2});
        group.settle();
        group.split({4, 5});
        if (!complete) {
            for (const std::uint32_t node : {1U, 2U, 3U}) {
                group.leave(node);
            }
            for (const std::uint32_t node : {1U, 2U, 3U}) {
                group.join(node);
            }
        }
        group.promote(2);
        if (complete) {
            group.at(2).erase(key(1), group.now());
        }
        group.at(2).publish(key(2), Bytes{3});
        group.settle();
        group.split({});
        for (const std::uint32_t node : {4U, 5U}) {
            EXPECT_EQ(group.at(node).store().count(), 1U);
            EXPECT_EQ(group.at(node).counters().sessions_lost, complete ? 0U : 1U) << node;
            EXPECT_TRUE(group.kernel(node).contains(key(2)));
        }
    }
}

// Cut off while an epoch came, whose holder is gone when it returns: nobody will say a digest.
TEST(ReplicaHealTest, WhoHasMissedAnEpochReceivesItsRecordsThoughItsHolderIsGone) {
    for (const std::uint32_t away : {1U, 5U}) {
        Group group;
        for (std::uint32_t node = 1; node <= 5; ++node) {
            group.join(node);
        }
        group.promote(2);
        group.at(2).publish(key(1), Bytes{1});
        group.settle();
        group.split({away});
        group.promote(3);
        group.at(3).publish(key(2), Bytes{2});
        group.settle();
        EXPECT_TRUE(group.at(3).is_protected(key(2)));
        group.leave(3);
        EXPECT_EQ(group.at(away).level(), wire::Level::complete);
        group.split({});
        EXPECT_EQ(group.at(away).epoch(), (Epoch{2, NodeId{3}})) << away;
        EXPECT_EQ(group.at(away).level(), wire::Level::complete) << away;
        EXPECT_TRUE(group.kernel(away).contains(key(2))) << away;
    }
}

TEST(ReplicaHealTest, StandbysThatReturnConfirmAgain) {
    Group group = three_with_first_promoted();
    group.at(1).publish(key(1), Bytes{1});
    group.settle();
    group.split({1});
    EXPECT_FALSE(group.at(1).is_protected(key(1)));
    group.split({});
    EXPECT_TRUE(group.at(1).is_protected(key(1)));
}

TEST(ReplicaHealTest, ARefusedInstallationIsTriedAgain) {
    Group group = three_with_first_promoted();
    group.leave(3);
    group.kernels_answer = false;
    group.at(1).publish(key(1), Bytes{1});
    group.settle();
    group.answer_install(Outcome::refused);
    EXPECT_FALSE(group.at(1).is_protected(key(1)));
    EXPECT_EQ(group.at(2).quarantined(), 1U);
    group.pass(limits::kInstallRetryFirst);
    group.answer_install(Outcome::installed);
    EXPECT_TRUE(group.at(1).is_protected(key(1)));
    EXPECT_EQ(group.at(2).quarantined(), 0U);
    EXPECT_THAT(group.installing, IsEmpty());
}

TEST(ReplicaHealTest, TheAnswerToAnOlderInstallationProvesNothing) {
    Group group = three_with_first_promoted();
    group.leave(3);
    group.kernels_answer = false;
    group.at(1).publish(key(1), Bytes{1});
    group.settle();
    group.at(1).publish(key(1), Bytes{2});
    group.settle();
    group.answer_install(Outcome::installed);  // Of the older payload.
    EXPECT_FALSE(group.at(1).is_protected(key(1)));
    group.answer_install(Outcome::installed);
    EXPECT_TRUE(group.at(1).is_protected(key(1)));
}

TEST(ReplicaHealTest, OptionalRecordsOfALaterReleaseAreCarried) {
    Group group = three_with_first_promoted();
    wire::RecordKey optional = key(1);
    optional.type = static_cast<wire::RecordType>(0x81);
    group.at(1).publish(optional, Bytes{1, 2, 3});
    group.settle();
    EXPECT_THAT(group.kernel(2), IsEmpty());
    EXPECT_EQ(group.at(2).hold(optional), Hold::carried);
    EXPECT_TRUE(group.at(1).is_protected(optional));
    group.promote(2);
    group.join(4);
    EXPECT_EQ(group.at(4).store().find(optional)->payload, (Bytes{1, 2, 3}));
}

TEST(ReplicaHealTest, ASessionThatTheKernelLostIsNoLongerConfirmed) {
    Group group = three_with_first_promoted();
    group.leave(3);
    group.at(1).publish(key(1), Bytes{1});
    group.settle();
    group.at(2).on_gone(key(1));
    group.settle();
    EXPECT_FALSE(group.at(1).is_protected(key(1)));
    group.run(NodeId{2}, group.at(2).install_missing());
    group.settle();
    EXPECT_TRUE(group.at(1).is_protected(key(1)));
}

TEST(ReplicaHealTest, WhatChangesWhileMessagesAreOnTheirWayIsCoalesced) {
    Group group = three_with_first_promoted();
    group.emitted.clear();
    for (std::uint8_t i = 0; i < 100; ++i) {
        group.at(1).publish(key(1), Bytes{i});
        group.run(NodeId{1}, group.at(1).flush(group.now()));
    }
    EXPECT_EQ(count_of<wire::Update>(group), limits::kUpdatesOnTheirWay);
    group.settle();
    EXPECT_EQ(count_of<wire::Update>(group), limits::kUpdatesOnTheirWay + 1);
    EXPECT_EQ(group.at(2).store().find(key(1))->payload, Bytes{99});
}

TEST(ReplicaHealTest, ARefusedRecordThatIsTriedAgainHoldsUpNoOther) {
    Group group = three_with_first_promoted();
    group.leave(3);
    group.refuse(2, key(1));
    group.at(1).publish(key(1), Bytes{1});
    group.at(1).publish(key(2), Bytes{2});
    group.settle();
    ASSERT_TRUE(group.at(1).is_protected(key(2)));
    group.emitted.clear();
    group.kernels_answer = false;
    group.pass(limits::kInstallRetryFirst);
    ASSERT_EQ(group.installing.size(), 1U);
    EXPECT_TRUE(group.at(1).is_protected(key(2)));
    EXPECT_EQ(count_of<wire::Confirm>(group), 0U);
}

TEST(ReplicaHealTest, WhatWasRefusedBeforeAPromotionIsTriedAgainAfterIt) {
    Group group = three_with_first_promoted();
    group.refuse(2, key(1));
    group.at(1).publish(key(1), Bytes{1});
    group.settle();
    group.promote(2);
    group.at(2).end_epoch(group.now());
    group.kernels_answer = false;
    group.pass(limits::kInstallRetryFirst);
    EXPECT_EQ(group.installing.size(), 1U);
}

TEST(ReplicaHealTest, ManyThatWereRefusedAreTriedAgainSomeAtATime) {
    Group group = three_with_first_promoted();
    group.leave(3);
    constexpr std::uint32_t kMany = limits::kRecordsPerRetry + 1;
    for (std::uint32_t i = 0; i < kMany; ++i) {
        group.refuse(2, key(i));
        group.at(1).publish(key(i), Bytes{1});
    }
    group.settle();
    group.kernels_answer = false;
    group.pass(limits::kInstallRetryFirst);
    EXPECT_EQ(group.installing.size(), limits::kRecordsPerRetry);
    EXPECT_LE(*group.at(2).next_deadline(), group.now());
    group.answer_install(Outcome::refused);  // And continues.
    EXPECT_EQ(group.installing.size(), kMany - 1);
    while (!group.installing.empty()) {
        group.answer_install(Outcome::installed);
    }
    group.pass(2 * limits::kInstallRetryFirst);
    EXPECT_EQ(group.installing.size(), 1U) << "the one that was refused again";
}

// An installation that was under way at the promotion.
TEST(ReplicaHealTest, WhatIsRefusedToAPromotedNodeWaitsForItsDemotion) {
    Group group = three_with_first_promoted();
    group.leave(3);
    group.kernels_answer = false;
    group.at(1).publish(key(1), Bytes{1});
    group.settle();
    group.promote(2);
    group.answer_install(Outcome::refused);
    group.pass(limits::kInstallRetryFirst);
    ASSERT_TRUE(group.at(2).next_deadline().has_value());
    EXPECT_GT(*group.at(2).next_deadline(), group.now());
    EXPECT_THAT(group.installing, IsEmpty());
    group.at(2).end_epoch(group.now());
    group.pass(limits::kInstallRetryFirst);
    EXPECT_EQ(group.installing.size(), 1U);
}

TEST(ReplicaHealTest, WhatComesAndGoesUnreceivedIsNoLongerDue) {
    Group group = three_with_first_promoted();
    for (std::uint8_t i = 0; i < 100; ++i) {
        group.at(1).publish(key(1), Bytes{i});
        group.at(1).publish(key(2), Bytes{i});
        group.at(1).erase(key(1), group.now());
    }
    EXPECT_EQ(group.at(1).dirty(), 1U);
}

TEST(ReplicaHealTest, CoverageReportsWhatEachNodeWouldKeep) {
    Group group = three_with_first_promoted();
    group.refuse(2, key(1));
    group.at(1).publish(key(1), Bytes{1});
    group.at(1).publish(key(2), Bytes{2});
    group.settle();
    EXPECT_EQ(group.at(1).coverage(NodeId{2}).held, 1U);
    EXPECT_EQ(group.at(1).coverage(NodeId{2}).missing, 1U);
    EXPECT_EQ(group.at(2).coverage(NodeId{2}).missing, 1U);
    EXPECT_EQ(group.at(2).coverage(NodeId{3}).held, 2U);
    EXPECT_FALSE(group.at(1).coverage(NodeId{9}).known);
}

}  // namespace replica_heal_test
}  // namespace vpnha::replica
