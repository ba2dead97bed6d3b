// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/replica/replica.hpp"

#include <gmock/gmock.h>

#include "base/limits.hpp"
#include "group.hpp"

namespace vpnha::replica {
namespace replica_test {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ReplicaTest, FollowersOfAFirstPromotionAreCompleteWithNothing) {
    Group group = three_with_first_promoted();
    for (const std::uint32_t node : {1U, 2U, 3U}) {
        EXPECT_EQ(group.at(node).level(), wire::Level::complete) << node;
        EXPECT_EQ(group.at(node).holder(), NodeId{1}) << node;
    }
}

TEST(ReplicaTest, APublishedRecordReachesEveryKernelAndIsProtected) {
    Group group = three_with_first_promoted();
    group.at(1).publish(key(1), Bytes{1});
    EXPECT_FALSE(group.at(1).is_protected(key(1)));
    group.settle();
    EXPECT_TRUE(group.at(1).is_protected(key(1)));
    EXPECT_THAT(group.kernel(2), ElementsAre(key(1)));
    EXPECT_THAT(group.kernel(3), ElementsAre(key(1)));
    EXPECT_THAT(group.kernel(1), IsEmpty());
    EXPECT_EQ(group.at(2).store().digest(), group.at(1).store().digest());
}

TEST(ReplicaTest, AnAmendedRecordReachesTheOthersAndStaysInTheHoldersKernel) {
    Group group = three_with_first_promoted();
    group.at(1).publish(key(1), Bytes{1});
    group.settle();
    group.at(1).end_epoch(group.now());
    group.promote(2);
    ASSERT_EQ(group.at(2).hold(key(1)), Hold::installed);
    group.at(2).amend(key(1), Bytes{2});
    group.at(2).amend(key(2), Bytes{2});
    EXPECT_FALSE(group.at(2).is_protected(key(1)));
    group.settle();
    EXPECT_EQ(group.at(2).hold(key(1)), Hold::installed);
    EXPECT_TRUE(group.at(2).is_protected(key(1)));
    EXPECT_EQ(group.at(3).store().find(key(1))->payload, Bytes{2});
    EXPECT_EQ(group.at(3).store().find(key(2)), nullptr) << "there was none";
}

TEST(ReplicaTest, ARecordThatEveryKernelRefusesIsNotProtected) {
    Group group = three_with_first_promoted();
    group.refuse(2, key(1));
    group.refuse(3, key(1));
    group.at(1).publish(key(1), Bytes{1});
    group.at(1).publish(key(2), Bytes{2});
    group.settle();
    EXPECT_FALSE(group.at(1).is_protected(key(1)));
    EXPECT_TRUE(group.at(1).is_protected(key(2)));
    EXPECT_TRUE(group.at(2).hold(key(1)) == Hold::refused);
}

TEST(ReplicaTest, WithheldRecordsWaitForTheEncryption) {
    Group group = three_with_first_promoted();
    group.at(1).publish(key(1), Bytes{1});
    group.settle();
    group.at(1).withhold_records(true);
    group.at(1).publish(key(2), Bytes{2});
    group.at(1).erase(key(1), group.now());
    group.at(1).hurry_counters();
    group.join(4);  // It asks for a snapshot.
    group.emitted.clear();
    group.pass(std::chrono::minutes(1));
    EXPECT_EQ(group.emitted[wire::Message(wire::Update{}).index()], 0);
    EXPECT_EQ(group.emitted[wire::Message(wire::Snapshot{}).index()], 0);
    EXPECT_NE(group.emitted[wire::Message(wire::Digest{}).index()], 0) << "it has no records";
    EXPECT_FALSE(group.at(1).is_protected(key(2)));
    EXPECT_THAT(group.kernel(2), ElementsAre(key(1)));
    EXPECT_THAT(group.kernel(4), IsEmpty());
    group.at(1).withhold_records(false);
    group.pass(std::chrono::minutes(1));
    EXPECT_TRUE(group.at(1).is_protected(key(2)));
    EXPECT_THAT(group.kernel(2), ElementsAre(key(2)));
    EXPECT_THAT(group.kernel(4), ElementsAre(key(2)));
}

TEST(ReplicaTest, AReplicaThatWithholdsRecordsHasNoDeadlineForThem) {
    Group group = three_with_first_promoted();
    group.at(1).withhold_records(true);
    // Gathered before it is sent, so it has a deadline of its own.
    group.at(1).publish({wire::RecordType::flow, wire::RecordId(Bytes{1})}, Bytes{1});
    group.settle();
    group.pass(std::chrono::seconds(1));
    ASSERT_TRUE(group.at(1).next_deadline());
    EXPECT_GT(*group.at(1).next_deadline(), group.now());
}

TEST(ReplicaTest, ProtectionEndsWithTheLastStandbyThatConfirmed) {
    Group group = three_with_first_promoted();
    group.at(1).publish(key(1), Bytes{1});
    group.settle();
    group.leave(2);
    EXPECT_TRUE(group.at(1).is_protected(key(1)));
    group.leave(3);
    EXPECT_FALSE(group.at(1).is_protected(key(1)));
}

TEST(ReplicaTest, AnErasedRecordLeavesEveryKernel) {
    Group group = three_with_first_promoted();
    group.at(1).publish(key(1), Bytes{1});
    group.settle();
    group.at(1).erase(key(1), group.now());
    group.settle();
    EXPECT_THAT(group.kernel(2), IsEmpty());
    EXPECT_EQ(group.at(3).store().count(), 0U);
}

TEST(ReplicaTest, AJoinerGetsEverythingAndConfirmsIt) {
    Group group;
    group.join(1);
    group.promote(1);
    for (std::uint32_t i = 0; i < 500; ++i) {
        group.at(1).publish(key(i), Bytes(wire::traits_of(key(i).type).payload_max));
    }
    group.settle();
    EXPECT_FALSE(group.at(1).is_protected(key(0)));
    group.join(2);
    EXPECT_EQ(group.at(2).level(), wire::Level::complete);
    EXPECT_EQ(group.kernel(2).size(), 500U);
    EXPECT_TRUE(group.at(1).is_protected(key(499)));
    EXPECT_EQ(group.at(1).counters().snapshots_sent, 1U);
}

TEST(ReplicaTest, ANewHolderWithTheSameRecordsNeedsToRepeatNothing) {
    Group group = three_with_first_promoted();
    group.at(1).publish(key(1), Bytes{1});
    group.settle();
    group.leave(1);
    EXPECT_EQ(group.at(2).holder(), std::nullopt);
    group.promote(2);
    EXPECT_TRUE(group.at(2).is_protected(key(1)));
    EXPECT_EQ(group.at(3).level(), wire::Level::complete);
    EXPECT_EQ(group.at(3).counters().digest_mismatch, 0U);
    EXPECT_EQ(group.at(2).counters().snapshots_sent, 0U);
}

TEST(ReplicaTest, WhatANewHolderDoesNotHaveIsSwept) {
    Group group = three_with_first_promoted();
    group.at(1).publish(key(1), Bytes{1});
    group.settle();
    // The erasure is lost with its sender: node 2 never hears of it, node 3 does.
    group.at(1).erase(key(1), group.now());
    group.run(NodeId{1}, group.at(1).flush(group.now()));
    const wire::Message erasure = group.queue().back().second;
    group.queue().clear();
    group.run(NodeId{3}, group.at(3).on_message(NodeId{1}, erasure, group.now()));
    group.leave(1);
    group.promote(3);
    EXPECT_THAT(group.kernel(2), IsEmpty());
    EXPECT_EQ(group.at(2).level(), wire::Level::complete);
}

TEST(ReplicaTest, WhileNobodyIsPromotedTheLowestCompleteNodeAnswersAJoiner) {
    Group group = three_with_first_promoted();
    group.at(1).publish(key(1), Bytes{1});
    group.settle();
    group.leave(1);
    group.join(4);
    EXPECT_EQ(group.at(4).level(), wire::Level::complete);
    EXPECT_EQ(group.at(2).counters().snapshots_sent, 1U);
    EXPECT_EQ(group.at(3).counters().snapshots_sent, 0U);
}

// Node 3 has missed nothing; nodes 2 and 4 were cut off before the last change.
TEST(ReplicaTest, WhileNobodyIsPromotedTheFarthestIsTheSource) {
    Group group = three_with_first_promoted();
    group.join(4);
    group.at(1).publish(key(1), Bytes{1});
    group.settle();
    group.split({1, 3});
    group.at(1).publish(key(2), Bytes{2});
    group.settle();
    group.leave(1);
    ASSERT_EQ(group.at(3).store().count(), 2U);
    group.split({});
    group.settle();
    for (const std::uint32_t node : {2U, 3U, 4U}) {
        EXPECT_EQ(group.at(node).level(), wire::Level::complete) << node;
        EXPECT_THAT(group.kernel(node), ElementsAre(key(1), key(2))) << node;
    }
    EXPECT_EQ(group.at(3).counters().gaps, 0U) << "it resynced";
}

// The end of a snapshot that an older replica sent before it heard of a newer one.
TEST(ReplicaTest, ASnapshotOfAnOlderReplicaIsNoReasonToResync) {
    Group group = three_with_first_promoted();
    group.at(1).publish(key(1), Bytes{1});
    group.settle();
    const Replica& mine = group.at(3);
    group.at(1).publish(key(2), Bytes{2});
    group.settle();
    group.leave(1);
    wire::SnapshotEnd end;
    end.gateway = kGateway;
    end.epoch = mine.epoch();
    end.sequence = 1;
    group.run(NodeId{3}, group.at(3).on_message(NodeId{2}, end, group.now()));
    EXPECT_EQ(mine.level(), wire::Level::complete);
    EXPECT_EQ(mine.counters().gaps, 0U);
    EXPECT_EQ(mine.counters().digest_mismatch, 0U);
}

TEST(ReplicaTest, ALostUpdateIsNoticedAndHealed) {
    Group group = three_with_first_promoted();
    group.at(1).publish(key(1), Bytes{1});
    group.run(NodeId{1}, group.at(1).flush(group.now()));
    group.queue().clear();
    group.at(1).publish(key(2), Bytes{2});
    group.settle();
    EXPECT_EQ(group.at(2).counters().gaps, 1U);
    EXPECT_EQ(group.at(2).level(), wire::Level::complete);
    EXPECT_THAT(group.kernel(2), ElementsAre(key(1), key(2)));
    EXPECT_TRUE(group.at(1).is_protected(key(1)));
}

TEST(ReplicaTest, AReplicaThatIsNotCompleteConfirmsNothing) {
    Group group = three_with_first_promoted();
    group.leave(3);
    group.at(1).publish(key(1), Bytes{1});
    group.run(NodeId{1}, group.at(1).flush(group.now()));
    group.queue().clear();
    group.at(1).publish(key(2), Bytes{2});
    group.run(NodeId{1}, group.at(1).flush(group.now()));
    const wire::Message second = group.queue().back().second;
    group.queue().clear();
    group.run(NodeId{2}, group.at(2).on_message(NodeId{1}, second, group.now()));
    for (const Effect& effect : group.at(2).flush(group.now())) {
        EXPECT_TRUE(std::holds_alternative<wire::SnapshotRequest>(std::get<Send>(effect).message));
    }
}

TEST(ReplicaTest, APassThatDoesNotMatchIsAskedForAgainAfterAPauseThatGrows) {
    Group group;
    group.join(1);
    group.promote(1);
    group.join(2);
    group.run(NodeId{2}, group.at(2).resync(group.now()));
    const auto pass = [&](std::uint64_t digest) {
        group.run(NodeId{2}, group.at(2).flush(group.now()));
        group.queue().clear();
        const Epoch epoch = group.at(1).epoch();
        for (const wire::Message& message :
             {wire::Message(wire::Snapshot{kGateway, epoch, {}, true, {}}),
              wire::Message(wire::SnapshotEnd{kGateway, epoch, {}, 0, 0, digest})}) {
            group.run(NodeId{2}, group.at(2).on_message(NodeId{1}, message, group.now()));
        }
    };
    pass(7);
    EXPECT_EQ(group.at(2).level(), wire::Level::partial);
    EXPECT_EQ(group.at(2).next_deadline(), group.now() + limits::kAskAgainFirst);
    group.pass(limits::kAskAgainFirst);
    EXPECT_EQ(group.at(2).level(), wire::Level::complete);
    EXPECT_EQ(group.at(2).counters().digest_mismatch, 1U);
    EXPECT_EQ(group.at(2).counters().resyncs, 3U);
}

TEST(ReplicaTest, AnOldEpochIsRefusedAndCounted) {
    Group group = three_with_first_promoted();
    group.promote(2);
    const wire::Update old{kGateway, Epoch{1, NodeId{1}}, 0, {{key(9), false, {9}}}};
    group.run(NodeId{3}, group.at(3).on_message(NodeId{1}, old, group.now()));
    EXPECT_EQ(group.at(3).store().count(), 0U);
    EXPECT_EQ(group.at(3).counters().stale_epoch, 1U);
}

// A broken member, or a hostile one. The lease would never grant what it takes to claim above that.
TEST(ReplicaTest, AnEpochThatNobodyCanHaveReachedIsDroppedAndCounted) {
    const Epoch huge{std::uint64_t{1} << 40, NodeId{3}};
    const wire::GatewayState state{.gateway = kGateway,
                                   .promoted = true,
                                   .level = wire::Level::complete,
                                   .standing = wire::Level::complete,
                                   .epoch = huge};
    wire::Hello hello;
    hello.gateways = {state};
    const std::vector<wire::Message> messages{
        hello,
        wire::Claim{kGateway, huge, 0, 0},
        wire::Update{kGateway, huge, 0, {{key(9), false, {9}}}},
        wire::Digest{kGateway, huge, 1, 0, 0},
        wire::SnapshotRequest{kGateway, wire::ResyncReason::gap, {huge, 1}},
        wire::Snapshot{kGateway, huge, {}, true, {}},
        wire::Snapshot{kGateway, {1, NodeId{1}}, {}, true, {{key(9), {huge, 1}, false, {9}}}},
        wire::SnapshotEnd{kGateway, huge, {}, 0, 0, 0},
        wire::Confirm{kGateway, huge, 1, 1, {}},
        wire::Barrier{kGateway, huge},
        wire::Move{kGateway, wire::MovePhase::asked, huge, NodeId{3}, 0, 0}};
    Group group = three_with_first_promoted();
    const Epoch before = group.at(1).highest_epoch();
    for (const std::uint32_t node : {1U, 2U}) {
        for (const wire::Message& message : messages) {
            group.run(NodeId{node}, group.at(node).on_message(NodeId{3}, message, group.now()));
        }
        EXPECT_EQ(group.at(node).counters().implausible_epoch, messages.size());
        EXPECT_EQ(group.at(node).highest_epoch(), before);
        EXPECT_EQ(group.at(node).level(), wire::Level::complete);
        EXPECT_EQ(group.at(node).holder(), NodeId{1});
        EXPECT_FALSE(group.at(node).peers().contains(NodeId{3})) << "what it has is not known";
        EXPECT_EQ(group.implausible, node) << "one line of the log each";
    }
    EXPECT_TRUE(group.at(1).promoted());
    EXPECT_EQ(group.at(2).store().count(), 0U);
    group.leave(3);
    group.promote(2);
    EXPECT_TRUE(group.at(2).promoted());
    EXPECT_THAT(group.superseded, ElementsAre(1U));
}

TEST(ReplicaTest, AnEpochAfterALongAbsenceIsTakenUp) {
    Group group = three_with_first_promoted();
    const Epoch later{group.at(2).highest_epoch().number + limits::kEpochJumpMax, NodeId{3}};
    group.run(NodeId{2},
              group.at(2).on_message(NodeId{3}, wire::Claim{kGateway, later, 0, 0}, group.now()));
    EXPECT_EQ(group.at(2).highest_epoch(), later);
}

TEST(ReplicaTest, AHigherClaimSupersedesTheHolder) {
    Group group = three_with_first_promoted();
    group.promote(2);
    EXPECT_THAT(group.superseded, ElementsAre(1U));
    EXPECT_FALSE(group.at(1).promoted());
    EXPECT_EQ(group.at(1).holder(), NodeId{2});
}

TEST(ReplicaTest, ADemotedNodeInstallsWhatItsKernelMisses) {
    Group group = three_with_first_promoted();
    group.at(1).publish(key(1), Bytes{1});
    group.settle();
    group.at(1).end_epoch(group.now());
    group.run(NodeId{1}, group.at(1).install_missing());
    EXPECT_THAT(group.kernel(1), ElementsAre(key(1)));
}

}  // namespace replica_test
}  // namespace vpnha::replica
