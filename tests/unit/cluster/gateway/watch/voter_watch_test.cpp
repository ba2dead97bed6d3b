// SPDX-License-Identifier: GPL-2.0-or-later
// Which votes count, as a whole cluster sees it.
#include "cluster/gateway/watch/voter_watch.hpp"

#include <gmock/gmock.h>

#include "unit/cluster/node/fake_cluster.hpp"
#include "unit/cluster/node/sample_session.hpp"

namespace vpnha::node {
namespace voter_watch_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// By the ids of the other voters, ascending: which of them count.
std::vector<bool> counted(FakeCluster& cluster, std::uint32_t node) {
    std::vector<bool> counted;
    for (const VoterWatch::Vote& vote :
         cluster.at(node).node->find(kGateway)->voters().watch().votes()) {
        counted.push_back(vote.counts);
    }
    return counted;
}

int reserve(FakeCluster& cluster, std::uint32_t node) {
    return cluster.at(node).node->find(kGateway)->voters().reserve();
}

TEST(VoterWatchTest, AllVotesCountInAWholeCluster) {
    FakeCluster cluster = with_one_session();
    cluster.pass(seconds(30));
    for (const std::uint32_t node : {1U, 2U, 3U}) {
        EXPECT_EQ(counted(cluster, node), (std::vector<bool>{true, true})) << node;
        EXPECT_EQ(reserve(cluster, node), 1) << node;
        EXPECT_THAT(cluster.at(node).log, Not(Contains(HasSubstr("event=vote-")))) << node;
    }
}

TEST(VoterWatchTest, TheHolderMissesAnswersAndReportsWhatIsLeft) {
    FakeCluster cluster = with_one_session();
    cluster.lose_leases([](std::uint32_t from, const SendLease& sent) {
        return from == 3 && std::holds_alternative<lease::Answer>(sent.message);
    });
    cluster.pass(milliseconds(3500));
    EXPECT_TRUE(cluster.gate_open(1));
    EXPECT_EQ(counted(cluster, 1), (std::vector<bool>{true, false}));
    EXPECT_EQ(reserve(cluster, 1), 0);
    EXPECT_THAT(cluster.at(1).log, Contains(AllOf(HasSubstr("node 3"), HasSubstr("event=vote-lost"),
                                                  HasSubstr("reserve=0")))
                                       .Times(1));
    EXPECT_EQ(counted(cluster, 2), (std::vector<bool>{true, true})) << "it hears both";
    cluster.lose_leases({});
    cluster.pass(seconds(2));
    EXPECT_EQ(reserve(cluster, 1), 1);
    EXPECT_THAT(cluster.at(1).log, Contains(HasSubstr("event=vote-back")).Times(1));
}

TEST(VoterWatchTest, AStandbyMissesAStandbyBeforeItNeedsIt) {
    FakeCluster cluster = with_one_session();
    cluster.lose_leases([](std::uint32_t from, const SendLease& sent) {
        return from == 3 && sent.to == NodeId{2};
    });
    cluster.pass(seconds(6));
    EXPECT_EQ(counted(cluster, 2), (std::vector<bool>{true, false}));
    EXPECT_EQ(reserve(cluster, 2), 0);
    EXPECT_EQ(counted(cluster, 1), (std::vector<bool>{true, true}));
    EXPECT_EQ(counted(cluster, 3), (std::vector<bool>{true, true})) << "what it hears is whole";
}

TEST(VoterWatchTest, OfANewClusterNoVoteIsToSpareBeforeItsFirstGrant) {
    FakeCluster cluster = new_cluster();
    cluster.pass(seconds(2));
    EXPECT_EQ(counted(cluster, 1), (std::vector<bool>{true, true}));
    EXPECT_EQ(reserve(cluster, 1), 0);
    ASSERT_TRUE(cluster.promote(2).has_value());
    cluster.pass(seconds(2));
    EXPECT_EQ(reserve(cluster, 1), 1);
}

TEST(VoterWatchTest, AFullDiskIsAVoteLess) {
    FakeCluster cluster(3);
    cluster.fill_disks({3});
    ASSERT_TRUE(cluster.promote(1).has_value());
    cluster.pass(seconds(4));
    EXPECT_EQ(counted(cluster, 1), (std::vector<bool>{true, false}));
}

TEST(VoterWatchTest, ANodeThatIsGoneIsNoWarningOfItsOwn) {
    FakeCluster cluster = with_one_session();
    cluster.kill(3);
    cluster.pass(seconds(6));
    EXPECT_EQ(reserve(cluster, 1), 0);
    EXPECT_EQ(reserve(cluster, 2), 0);
    cluster.kill(2);
    cluster.pass(seconds(6));
    EXPECT_EQ(reserve(cluster, 1), -1);
}

TEST(VoterWatchTest, NobodyIsMissedWhoHasHadNoTimeToBeReceived) {
    FakeCluster cluster(3);
    cluster.pass(milliseconds(2500));
    ASSERT_TRUE(cluster.promote(2).has_value());
    cluster.pass(seconds(3));
    ASSERT_TRUE(cluster.begin_demote(2).has_value());
    ASSERT_TRUE(cluster.promote(1).has_value());
    cluster.pass(seconds(5));
    for (const std::uint32_t node : {1U, 2U, 3U}) {
        EXPECT_THAT(cluster.at(node).log, Not(Contains(HasSubstr("event=vote-")))) << node;
    }
}

// Rounds of a holder whose clock runs at `rate`, for 30 s of this node's. Of each second that
// passes this node is `behind` further behind: it comes later to what it receives, and to its own
// ticks.
void handle_rounds(FakeCluster& cluster, VoterWatch& watch, double rate, double behind) {
    const lease::Sender holder{NodeId{1}, {}, lease::Instance{1}};
    const TimePoint start = cluster.now();
    for (Duration passed{}; passed < seconds(45); passed += milliseconds(100)) {
        const auto scaled = [passed](double by) {
            return std::chrono::duration_cast<Duration>(passed * by);
        };
        const TimePoint now = start + scaled(1 + behind);
        lease::Round round;
        round.sent_at = start + scaled(rate);
        watch.on_message(holder, round, cluster.lease(2), now);
        if (start + passed >= watch.next_tick()) {
            (void)watch.on_tick(cluster.lease(2), now);
        }
    }
}

TEST(VoterWatchTest, ANodeThatIsBehindItselfMeasuresNoClock) {
    FakeCluster cluster = with_one_session();
    VoterWatch busy(NodeId{2}, cluster.now());
    handle_rounds(cluster, busy, 1, 0.5);
    EXPECT_THAT(busy.clocks().astray(), IsEmpty());
    VoterWatch idle(NodeId{2}, cluster.now());
    handle_rounds(cluster, idle, 0.67, 0);
    EXPECT_THAT(idle.clocks().astray(), SizeIs(1));
}

}  // namespace voter_watch_test
}  // namespace vpnha::node
