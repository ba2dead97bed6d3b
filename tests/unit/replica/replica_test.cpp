// SPDX-License-Identifier: GPL-2.0-or-later
#include "replica/replica.hpp"

#include <gmock/gmock.h>

#include <deque>
#include <memory>

#include "base/limits.hpp"

namespace vpnha::replica {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr GatewayId kGateway{1};

wire::RecordKey key(std::uint32_t number) {
    ByteWriter id;
    id.u32(number);
    return {wire::RecordType::l2tp_session, wire::RecordId(id.view())};
}

// Replicas joined by a group that delivers everything to all members in one order, and kernels that
// take what they are given unless told otherwise.
class Group {
  public:
    Replica& at(std::uint32_t node) { return *replicas_.at(NodeId{node}); }
    std::set<wire::RecordKey>& kernel(std::uint32_t node) { return kernels_[NodeId{node}]; }
    void refuse(std::uint32_t node, const wire::RecordKey& refused) {
        refused_[NodeId{node}].insert(refused);
    }

    void join(std::uint32_t node) {
        replicas_[NodeId{node}] = std::make_unique<Replica>(kGateway, NodeId{node});
        members_changed();
    }
    void leave(std::uint32_t node) {
        replicas_.erase(NodeId{node});
        kernels_.erase(NodeId{node});
        members_changed();
    }
    void promote(std::uint32_t node) {
        Replica& replica = at(node);
        run(NodeId{node},
            replica.begin_epoch(Epoch{replica.highest_epoch().number + 1, NodeId{node}}, now_));
        settle();
    }
    // Delivers, and lets due messages go out, until nobody has anything to say.
    void settle() {
        do {
            deliver();
            for (auto& [node, replica] : replicas_) {
                run(node, replica->flush(now_));
            }
        } while (!queue_.empty());
    }
    void pass(Duration time) {
        now_ += time;
        settle();
    }
    // What was sent and not yet delivered, for tests that lose or change it.
    std::deque<std::pair<NodeId, wire::Message>>& queue() { return queue_; }
    TimePoint now() const { return now_; }
    void run(NodeId node, Effects effects) {
        for (Effect& effect : effects) {
            if (auto* send = std::get_if<Send>(&effect)) {
                queue_.emplace_back(node, std::move(send->message));
            } else if (auto* install = std::get_if<Install>(&effect)) {
                const bool accepted = !refused_[node].contains(install->key);
                if (accepted) {
                    kernels_[node].insert(install->key);
                }
                replicas_.at(node)->on_installed(install->key, install->ticket,
                                                 accepted ? Outcome::installed : Outcome::refused,
                                                 now_);
            } else if (auto* remove = std::get_if<Remove>(&effect)) {
                kernels_[node].erase(remove->key);
            } else if (std::holds_alternative<Superseded>(effect)) {
                superseded.push_back(node.value);
            }
        }
    }
    std::vector<std::uint32_t> superseded;
    bool quorate = true;

  private:
    void members_changed() {
        std::set<NodeId> present;
        for (const auto& [node, replica] : replicas_) {
            present.insert(node);
        }
        for (auto& [node, replica] : replicas_) {
            replica->on_members(present, quorate, now_);
        }
        // As the node does: everyone introduces itself anew.
        for (auto& [node, replica] : replicas_) {
            wire::Hello hello;
            hello.gateways = {{kGateway, replica->promoted(), replica->level(), replica->level(),
                               replica->epoch()}};
            queue_.emplace_back(node, hello);
        }
        settle();
    }
    void deliver() {
        while (!queue_.empty()) {
            const auto [sender, message] = std::move(queue_.front());
            queue_.pop_front();
            for (auto& [node, replica] : replicas_) {
                run(node, replica->on_message(sender, message, now_));
            }
        }
    }

    std::map<NodeId, std::unique_ptr<Replica>> replicas_;
    std::map<NodeId, std::set<wire::RecordKey>> kernels_;
    std::map<NodeId, std::set<wire::RecordKey>> refused_;
    std::deque<std::pair<NodeId, wire::Message>> queue_;
    TimePoint now_{std::chrono::hours(1)};
};

Group three_with_first_promoted() {
    Group group;
    for (const std::uint32_t node : {1U, 2U, 3U}) {
        group.join(node);
    }
    group.promote(1);
    return group;
}

TEST(ReplicaTest, FollowersOfAFirstPromotionAreCompleteWithNothing) {
    Group group = three_with_first_promoted();
    for (const std::uint32_t node : {1U, 2U, 3U}) {
        EXPECT_EQ(group.at(node).level(), wire::Level::complete) << node;
        EXPECT_EQ(group.at(node).holder(), NodeId{1}) << node;
    }
}

TEST(ReplicaTest, APublishedRecordReachesEveryKernelAndIsProtected) {
    Group group = three_with_first_promoted();
    group.at(1).publish(key(1), {1});
    EXPECT_FALSE(group.at(1).is_protected(key(1)));
    group.settle();
    EXPECT_TRUE(group.at(1).is_protected(key(1)));
    EXPECT_THAT(group.kernel(2), ElementsAre(key(1)));
    EXPECT_THAT(group.kernel(3), ElementsAre(key(1)));
    EXPECT_THAT(group.kernel(1), IsEmpty());
    EXPECT_EQ(group.at(2).store().digest(), group.at(1).store().digest());
}

TEST(ReplicaTest, ARecordThatEveryKernelRefusesIsNotProtected) {
    Group group = three_with_first_promoted();
    group.refuse(2, key(1));
    group.refuse(3, key(1));
    group.at(1).publish(key(1), {1});
    group.at(1).publish(key(2), {2});
    group.settle();
    EXPECT_FALSE(group.at(1).is_protected(key(1)));
    EXPECT_TRUE(group.at(1).is_protected(key(2)));
    EXPECT_TRUE(group.at(2).hold(key(1)) == Hold::refused);
}

TEST(ReplicaTest, ProtectionEndsWithTheLastStandbyThatConfirmed) {
    Group group = three_with_first_promoted();
    group.at(1).publish(key(1), {1});
    group.settle();
    group.leave(2);
    EXPECT_TRUE(group.at(1).is_protected(key(1)));
    group.leave(3);
    EXPECT_FALSE(group.at(1).is_protected(key(1)));
}

TEST(ReplicaTest, AnErasedRecordLeavesEveryKernel) {
    Group group = three_with_first_promoted();
    group.at(1).publish(key(1), {1});
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
        group.at(1).publish(key(i), Bytes(limits::kRecordPayloadBytesMax));
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
    group.at(1).publish(key(1), {1});
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
    group.at(1).publish(key(1), {1});
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
    group.at(1).publish(key(1), {1});
    group.settle();
    group.leave(1);
    group.join(4);
    EXPECT_EQ(group.at(4).level(), wire::Level::complete);
    EXPECT_EQ(group.at(2).counters().snapshots_sent, 1U);
    EXPECT_EQ(group.at(3).counters().snapshots_sent, 0U);
}

TEST(ReplicaTest, ALostUpdateIsNoticedAndHealed) {
    Group group = three_with_first_promoted();
    group.at(1).publish(key(1), {1});
    group.run(NodeId{1}, group.at(1).flush(group.now()));
    group.queue().clear();
    group.at(1).publish(key(2), {2});
    group.settle();
    EXPECT_EQ(group.at(2).counters().gaps, 1U);
    EXPECT_EQ(group.at(2).level(), wire::Level::complete);
    EXPECT_THAT(group.kernel(2), ElementsAre(key(1), key(2)));
    EXPECT_TRUE(group.at(1).is_protected(key(1)));
}

TEST(ReplicaTest, AReplicaThatIsNotCompleteConfirmsNothing) {
    Group group = three_with_first_promoted();
    group.leave(3);
    group.at(1).publish(key(1), {1});
    group.run(NodeId{1}, group.at(1).flush(group.now()));
    group.queue().clear();
    group.at(1).publish(key(2), {2});
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

TEST(ReplicaTest, AHigherClaimSupersedesTheHolder) {
    Group group = three_with_first_promoted();
    group.promote(2);
    EXPECT_THAT(group.superseded, ElementsAre(1U));
    EXPECT_FALSE(group.at(1).promoted());
    EXPECT_EQ(group.at(1).holder(), NodeId{2});
}

TEST(ReplicaTest, ADemotedNodeInstallsWhatItsKernelLacks) {
    Group group = three_with_first_promoted();
    group.at(1).publish(key(1), {1});
    group.settle();
    group.at(1).end_epoch(group.now());
    group.run(NodeId{1}, group.at(1).install_missing());
    EXPECT_THAT(group.kernel(1), ElementsAre(key(1)));
}

}  // namespace
}  // namespace vpnha::replica
