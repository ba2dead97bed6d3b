// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/stand_in.hpp"

#include <gtest/gtest.h>

namespace vpnha::node {
namespace stand_in_test {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr NodeId kHolder{1};
constexpr Duration kStep = milliseconds(100);
const TimePoint kNow{std::chrono::hours(1)};

StandIn granted() {
    StandIn stand_in(true);
    stand_in.on_promoted_elsewhere(kHolder);
    stand_in.begin(kHolder, kNow);
    stand_in.on_granted(kNow);
    return stand_in;
}

StandIn stands_in() {
    StandIn stand_in = granted();
    stand_in.on_notified(kNow);
    return stand_in;
}

TEST(StandInTest, GatewaysOfADeadNodeAreSpread) {
    const std::vector<NodeId> candidates{NodeId{4}, NodeId{2}, NodeId{7}};
    const auto first_of = [&](std::uint8_t gateway) {
        for (const NodeId node : candidates) {
            if (StandIn::rank(candidates, {}, node, GatewayId{gateway}) == 0) {
                return node.value;
            }
        }
        return 0U;
    };
    EXPECT_EQ(first_of(3), 2U);
    EXPECT_EQ(first_of(1), 4U);
    EXPECT_EQ(first_of(2), 7U);
    EXPECT_EQ(StandIn::rank(candidates, {}, NodeId{2}, GatewayId{2}), 1U);
    EXPECT_EQ(StandIn::rank(candidates, {}, NodeId{4}, GatewayId{2}), 2U);
}

TEST(StandInTest, WhoIsBusyComesBehindAllOthers) {
    const std::vector<NodeId> candidates{NodeId{4}, NodeId{2}, NodeId{7}};
    const auto rank = [&](std::uint32_t node) {
        return StandIn::rank(candidates, {NodeId{4}, NodeId{9}}, NodeId{node}, GatewayId{1});
    };
    EXPECT_EQ(rank(7), 0U);
    EXPECT_EQ(rank(2), 1U);
    EXPECT_EQ(rank(4), 2U) << "the first one otherwise";
    const std::set<NodeId> all{candidates.begin(), candidates.end()};
    EXPECT_EQ(StandIn::rank(candidates, all, NodeId{4}, GatewayId{1}), 0U);
}

TEST(StandInTest, TheHoldersOfOtherGatewaysAreBusy) {
    const std::map<GatewayId, NodeId> apart{{GatewayId{1}, NodeId{1}}, {GatewayId{2}, NodeId{2}}};
    EXPECT_EQ(StandIn::busy(apart, GatewayId{1}), std::set{NodeId{2}});
    EXPECT_EQ(StandIn::busy(apart, GatewayId{2}), std::set{NodeId{1}});
    EXPECT_TRUE(StandIn::busy({{GatewayId{1}, NodeId{1}}}, GatewayId{1}).empty());
}

TEST(StandInTest, NobodyIsBusyWhereTheGatewaysOfOneHolderAreSpread) {
    const std::map<GatewayId, NodeId> together{
        {GatewayId{1}, NodeId{1}}, {GatewayId{2}, NodeId{1}}, {GatewayId{3}, NodeId{2}}};
    EXPECT_TRUE(StandIn::busy(together, GatewayId{1}).empty());
    EXPECT_EQ(StandIn::busy(together, GatewayId{3}), std::set{NodeId{1}});
}

StandIn::Turn turn_of(std::size_t rank, bool released = false) {
    return {.holder = kHolder,
            .promised_until = kNow,
            .released = released,
            .rank = rank,
            .candidates = 3};
}

// Of a standby that could ask since long ago, or since `since`.
std::optional<TimePoint> due(StandIn& stand_in, const StandIn::Turn& turn,
                             TimePoint since = kNow - seconds(60)) {
    stand_in.note_turn(turn, since);
    return stand_in.due(turn, kStep);
}

TEST(StandInTest, RanksFollowOneAnotherFromTheEndOfThePromise) {
    StandIn stand_in(true);
    EXPECT_EQ(stand_in.due(std::nullopt, kStep), std::nullopt);
    EXPECT_EQ(due(stand_in, turn_of(0)), kNow + milliseconds(2));
    EXPECT_EQ(due(stand_in, turn_of(2)), kNow + milliseconds(202));
}

TEST(StandInTest, RanksFollowOneAnotherWhateverAllHaveWaitedFor) {
    const TimePoint healed = kNow + seconds(3);
    StandIn cut_off(true);
    EXPECT_EQ(due(cut_off, turn_of(2), healed), healed + milliseconds(202));
    StandIn released(true);
    EXPECT_EQ(due(released, turn_of(1)), kNow + milliseconds(102));
    EXPECT_EQ(due(released, turn_of(1, true), healed), healed + milliseconds(102));
    EXPECT_EQ(due(released, turn_of(1, true), healed + seconds(1)), healed + milliseconds(102))
        << "it counts from the release, not from each look at it";
}

TEST(StandInTest, WhoHasFailedTriesAgainAfterASecondAndComesBehindAllOthers) {
    StandIn stand_in = stands_in();
    stand_in.fail(kNow);
    EXPECT_EQ(due(stand_in, turn_of(0)), kNow + seconds(1) + milliseconds(302));
    stand_in.note_turn(turn_of(0), kNow + seconds(10));
    EXPECT_EQ(stand_in.due(turn_of(0), kStep), kNow + seconds(1) + milliseconds(2));
    StandIn promoted = stands_in();
    promoted.on_promoted();
    EXPECT_EQ(due(promoted, turn_of(0)), kNow + milliseconds(2)) << "Pacemaker has chosen it";
}

TEST(StandInTest, WhoWasDeposedComesBehindAllOthers) {
    StandIn stand_in(true);
    stand_in.depose(kNow);
    EXPECT_EQ(due(stand_in, turn_of(1)), kNow + milliseconds(402));
    stand_in.undepose();
    EXPECT_EQ(due(stand_in, turn_of(1)), kNow + milliseconds(102));
}

TEST(StandInTest, WhoOnlyAskedMayAskAgain) {
    StandIn stand_in(true);
    stand_in.begin(kHolder, kNow);
    EXPECT_EQ(due(stand_in, turn_of(0)), std::nullopt);
    stand_in.stand_back();
    EXPECT_EQ(due(stand_in, turn_of(0)), kNow + milliseconds(2));
}

TEST(StandInTest, AClaimIsGivenUpAfterAWhile) {
    StandIn stand_in(true);
    stand_in.begin(kHolder, kNow);
    EXPECT_FALSE(stand_in.claims_in_vain(true, kNow));
    EXPECT_EQ(stand_in.next_deadline(), kNow + milliseconds(500));
    EXPECT_FALSE(stand_in.claims_in_vain(true, kNow + milliseconds(499)));
    EXPECT_TRUE(stand_in.claims_in_vain(true, kNow + milliseconds(500)));
}

TEST(StandInTest, AClaimThatItsDiskKeptBackHasItsTimeFromThenOn) {
    StandIn stand_in(true);
    stand_in.begin(kHolder, kNow);
    EXPECT_FALSE(stand_in.claims_in_vain(false, kNow));
    EXPECT_FALSE(stand_in.claims_in_vain(true, kNow + milliseconds(400)));
    EXPECT_EQ(stand_in.next_deadline(), kNow + milliseconds(900));
    EXPECT_FALSE(stand_in.claims_in_vain(false, kNow + milliseconds(500))) << "a higher claim";
    EXPECT_FALSE(stand_in.claims_in_vain(true, kNow + milliseconds(600)));
    EXPECT_TRUE(stand_in.claims_in_vain(true, kNow + milliseconds(900)));
}

TEST(StandInTest, AClaimThatNoDiskTakesIsGivenUp) {
    StandIn stand_in(true);
    stand_in.begin(kHolder, kNow);
    EXPECT_FALSE(stand_in.claims_in_vain(false, kNow));
    EXPECT_TRUE(stand_in.claims_in_vain(false, kNow + milliseconds(500)));
}

TEST(StandInTest, WithoutARingItEndsAfterTwoSeconds) {
    for (const bool confirmed : {false, true}) {
        StandIn stand_in = granted();
        if (confirmed) {
            stand_in.on_promoted();
        }
        EXPECT_EQ(stand_in.unconfirmed(), !confirmed);
        EXPECT_EQ(stand_in.next_deadline(), kNow + seconds(2));
        EXPECT_TRUE(stand_in.over(true, kNow + milliseconds(1999)).empty());
        EXPECT_FALSE(stand_in.over(true, kNow + seconds(2)).empty());
    }
}

TEST(StandInTest, ReportedToTheGroupItActsWithoutLimit) {
    StandIn stand_in = stands_in();
    EXPECT_TRUE(stand_in.over(true, kNow + std::chrono::hours(24)).empty());
}

TEST(StandInTest, WithoutQuorumOrALeaseItEndsAfterTwoSeconds) {
    StandIn stand_in = stands_in();
    const TimePoint lost = kNow + seconds(30);
    EXPECT_TRUE(stand_in.over(false, lost).empty());
    EXPECT_TRUE(stand_in.over(true, lost + seconds(1)).empty());
    EXPECT_TRUE(stand_in.over(false, lost + seconds(2)).empty());
    EXPECT_TRUE(stand_in.over(false, lost + milliseconds(3999)).empty());
    EXPECT_FALSE(stand_in.over(false, lost + seconds(4)).empty());
}

TEST(StandInTest, PacemakerIsNotifiedOnceAndNotOfWhatItHasPromoted) {
    StandIn stand_in = stands_in();
    EXPECT_FALSE(stand_in.notifies(kNow + milliseconds(99)));
    EXPECT_TRUE(stand_in.notifies(kNow + milliseconds(100)));
    EXPECT_FALSE(stand_in.notifies(kNow + seconds(1)));
    stand_in = stands_in();
    stand_in.on_promoted();
    EXPECT_FALSE(stand_in.unconfirmed());
    EXPECT_FALSE(stand_in.notifies(kNow + seconds(1)));
    EXPECT_FALSE(stand_in.takes_long(kNow + seconds(20)));
    stand_in = granted();
    stand_in.on_promoted();
    stand_in.on_notified(kNow);
    EXPECT_EQ(stand_in.phase(), StandIn::Phase::idle);
    EXPECT_FALSE(stand_in.notifies(kNow + seconds(1)));
}

TEST(StandInTest, OfAHolderThatPacemakerHasNotPromotedNobodyReports) {
    StandIn stand_in(true);
    stand_in.on_promoted_elsewhere(NodeId{2});
    stand_in.begin(kHolder, kNow);  // It acted itself.
    stand_in.on_granted(kNow);
    stand_in.on_notified(kNow);
    EXPECT_FALSE(stand_in.notifies(kNow + seconds(1)));
}

TEST(StandInTest, TheOldHolderMayHaveItBackWhenItsOldClaimsAreOver) {
    StandIn stand_in = stands_in();
    EXPECT_FALSE(stand_in.may_have_it_back(kNow + seconds(1)));
    stand_in.on_holder(true, kNow);
    stand_in.on_holder(true, kNow + milliseconds(499));
    EXPECT_FALSE(stand_in.may_have_it_back(kNow + milliseconds(499)));
    EXPECT_TRUE(stand_in.may_have_it_back(kNow + milliseconds(500)));
    stand_in.on_holder(false, kNow + seconds(1));
    EXPECT_FALSE(stand_in.may_have_it_back(kNow + seconds(2)));
    stand_in.on_holder(true, kNow + seconds(2));
    EXPECT_FALSE(stand_in.may_have_it_back(kNow + seconds(2)));
}

TEST(StandInTest, AfterTenSecondsItIsWorthAWord) {
    StandIn stand_in = stands_in();
    EXPECT_FALSE(stand_in.takes_long(kNow + milliseconds(9999)));
    EXPECT_TRUE(stand_in.takes_long(kNow + seconds(10)));
    EXPECT_FALSE(stand_in.takes_long(kNow + seconds(20)));
}

TEST(StandInTest, ADeposedNodeReportsSoForTenSeconds) {
    StandIn stand_in(true);
    stand_in.depose(kNow);
    EXPECT_TRUE(stand_in.deposed());
    EXPECT_EQ(stand_in.next_deadline(), kNow + seconds(10));
    stand_in.forget_deposal(kNow + milliseconds(9999));
    EXPECT_TRUE(stand_in.deposed());
    stand_in.forget_deposal(kNow + seconds(10));
    EXPECT_FALSE(stand_in.deposed());
}

}  // namespace stand_in_test
}  // namespace vpnha::node
