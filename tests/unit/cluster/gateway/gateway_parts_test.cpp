// SPDX-License-Identifier: GPL-2.0-or-later
// The small parts of a gateway, each on its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/gateway/attachment.hpp"
#include "cluster/gateway/blockers.hpp"
#include "cluster/gateway/event_queue.hpp"
#include "cluster/gateway/lease/grants.hpp"
#include "cluster/gateway/members.hpp"
#include "cluster/gateway/transition.hpp"
#include "cluster/gateway/worth/own_lease.hpp"

namespace vpnha::node {
namespace gateway_parts_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr TimePoint kStart{seconds(1000)};
constexpr GatewayId kGateway{1};

TEST(AttachmentTest, LeavesAndIsAttachedUntilItsEnd) {
    Attachment attachment;
    EXPECT_FALSE(attachment.attached());
    EXPECT_TRUE(attachment.attach("one"));
    EXPECT_FALSE(attachment.attach("two")) << "a repeated start";
    EXPECT_EQ(attachment.resource(), "two");
    attachment.leave(false);
    EXPECT_TRUE(attachment.attached() && attachment.leaving());
    attachment.end();
    EXPECT_FALSE(attachment.attached() || attachment.leaving());
}

TEST(AttachmentTest, AStartTakesAStopBack) {
    Attachment attachment;
    EXPECT_TRUE(attachment.attach("one"));
    attachment.leave(true);
    EXPECT_FALSE(attachment.attach("one")) << "nothing was lost";
    EXPECT_FALSE(attachment.leaving());
    attachment.leave(false);
    EXPECT_FALSE(attachment.has_served());
    attachment.stop(kStart);
    EXPECT_TRUE(attachment.stopped() && attachment.leaving() && attachment.attached());
    EXPECT_FALSE(attachment.attach("one"));
    EXPECT_FALSE(attachment.stopped() || attachment.leaving());
}

TEST(AttachmentTest, RecordsAreKeptForAMinuteOrUntilOthersHaveHadThemForAWhile) {
    Attachment attachment;
    EXPECT_TRUE(attachment.attach("one"));
    EXPECT_EQ(attachment.kept_until(), std::nullopt);
    attachment.leave(false);
    attachment.stop(kStart);
    EXPECT_EQ(attachment.kept_until(), kStart + kRecordsKept);
    attachment.stop(kStart + seconds(9));
    EXPECT_EQ(attachment.kept_until(), kStart + kRecordsKept) << "a repeated stop";
    attachment.note_others(true, kStart + seconds(10));
    attachment.note_others(true, kStart + seconds(11));
    EXPECT_EQ(attachment.kept_until(), kStart + seconds(10) + kOthersHaveThem);
    attachment.note_others(false, kStart + seconds(12));
    EXPECT_EQ(attachment.kept_until(), kStart + kRecordsKept);
    attachment.note_others(true, kStart + seconds(58));
    EXPECT_EQ(attachment.kept_until(), kStart + kRecordsKept);
}

TEST(MembersTest, WhoStaysKeepsItsTimeAndWhoComesBackGetsANewOne) {
    Members members;
    members.set({NodeId{1}, NodeId{2}}, kStart);
    members.set({NodeId{1}, NodeId{3}}, kStart + seconds(1));
    EXPECT_EQ(members.since(NodeId{1}), kStart);
    EXPECT_EQ(members.since(NodeId{2}), std::nullopt);
    EXPECT_FALSE(members.contains(NodeId{2}));
    members.set({NodeId{1}, NodeId{2}}, kStart + seconds(2));
    EXPECT_EQ(members.since(NodeId{2}), kStart + seconds(2));
}

TEST(MembersTest, ANameOutlivesItsMembership) {
    Members members;
    EXPECT_EQ(members.name(NodeId{2}), "");
    members.introduce(NodeId{2}, "gw2");
    members.set({NodeId{1}}, kStart);
    EXPECT_EQ(members.name(NodeId{2}), "gw2");
}

std::vector<bool> answers(const Effects& effects) {
    std::vector<bool> all;
    for (const Effect& effect : effects) {
        all.push_back(std::get<AnswerRequest>(effect).result.has_value());
    }
    return all;
}

TEST(TransitionTest, APromotionThatWasOvertakenFailsAndTheDemotionDoesNot) {
    Transition transition;
    transition.wait_for_promotion(1);
    transition.wait_for_demotion(2);
    EXPECT_FALSE(transition.satisfies_all(true, false));
    Effects effects;
    transition.finish(true, false, effects);
    EXPECT_THAT(answers(effects), ElementsAre(false, true));
    effects.clear();
    transition.finish(true, true, effects);
    EXPECT_THAT(effects, IsEmpty()) << "each is answered once";
}

TEST(TransitionTest, TheAnswerNamesTheFirstFailureUnlessALaterOneMattersMore) {
    const auto answer = [](Transition& transition) {
        Effects effects;
        transition.wait_for_promotion(1);
        transition.finish(false, false, effects);
        return std::get<AnswerRequest>(effects.at(0)).result.error().detail;
    };
    Transition transition;
    transition.fail_after("first");
    transition.fail_after("second");
    EXPECT_EQ(answer(transition), "first");
    transition.fail_after("first");
    transition.fail("the gate is open");
    EXPECT_EQ(answer(transition), "the gate is open");
    EXPECT_EQ(answer(transition), "the transition was overtaken") << "and forgets it";
}

TEST(TransitionTest, WhoIsAnsweredEarlyIsNotAnsweredAtTheEnd) {
    Transition transition;
    transition.wait_for_promotion(1);
    Effects effects;
    transition.answer_early(effects);
    EXPECT_THAT(answers(effects), ElementsAre(true));
    effects.clear();
    transition.finish(false, false, effects);
    EXPECT_THAT(effects, IsEmpty());
}

TEST(GrantsTest, APromotionWaitsUntilItIsGrantedOrRefused) {
    Grants grants;
    EXPECT_FALSE(grants.awaited());
    grants.await(kStart + seconds(2));
    EXPECT_EQ(grants.awaited_until(), kStart + seconds(2));
    EXPECT_TRUE(grants.wait_in_silence());
    EXPECT_FALSE(grants.wait_in_silence()) << "it has been answered";
    EXPECT_TRUE(grants.waits_in_silence());
    grants.end();
    EXPECT_FALSE(grants.awaited() || grants.waits_in_silence());
}

TEST(GrantsTest, WhileALeaseThatWasGivenBackWouldHoldNobodyElseServes) {
    const Epoch own{3, NodeId{1}};
    lease::Granted granted;
    granted.epoch = {5, NodeId{1}};
    granted.elsewhere = {4, NodeId{2}};
    Grants grants;
    EXPECT_TRUE(grants.served_since(granted, own, kStart));
    EXPECT_FALSE(grants.served_since(granted, Epoch{4, NodeId{2}}, kStart));
    grants.give_back(kStart + milliseconds(300));
    EXPECT_FALSE(grants.served_since(granted, own, kStart));
    EXPECT_TRUE(grants.served_since(granted, own, kStart + milliseconds(300)));
    granted.margin.kind = lease::Margin::Kind::handed_over;
    EXPECT_TRUE(grants.served_since(granted, own, kStart)) << "but one that hands over";
    granted.margin.kind = lease::Margin::Kind::bounded;
    granted.margin.epoch = granted.elsewhere;
    EXPECT_TRUE(grants.served_since(granted, own, kStart)) << "but one that a voter heard serve";
    granted.margin.epoch = own;
    EXPECT_FALSE(grants.served_since(granted, own, kStart));
    granted.margin.kind = lease::Margin::Kind::largest;
    EXPECT_TRUE(grants.served_since(granted, own, kStart))
        << "but one whose claim a voter answered, and may have heard no more of";
}

TEST(GrantsTest, OfTwoNodesOneTakesTheNextNumber) {
    lease::Granted granted;
    granted.epoch = {5, NodeId{2}};
    EXPECT_FALSE(Grants::shares_number(granted));
    granted.elsewhere = {4, NodeId{1}};
    EXPECT_FALSE(Grants::shares_number(granted));
    granted.elsewhere = {5, NodeId{1}};
    EXPECT_TRUE(Grants::shares_number(granted));
    granted.elsewhere = {5, NodeId{}};
    EXPECT_FALSE(Grants::shares_number(granted)) << "it names nobody";
}

TEST(GrantsTest, RemembersTheLastOne) {
    Grants grants;
    lease::Granted granted;
    granted.epoch = {5, NodeId{1}};
    EXPECT_EQ(grants.add(granted, kStart), Epoch{});
    granted.epoch = {7, NodeId{1}};
    EXPECT_EQ(grants.add(granted, kStart + seconds(1)), (Epoch{5, NodeId{1}}));
    EXPECT_EQ(grants.epoch(), (Epoch{7, NodeId{1}}));
    EXPECT_EQ(grants.at(), kStart + seconds(1));
}

// Steps as numbers: what an event posts is handled in the order of its posts, and before what stood
// behind the event.
TEST(EventQueueTest, WhatAnEventLedToIsOverBeforeTheNextEventBegins) {
    using takeover::Step;
    const auto step = [](Step what) { return takeover::Next{what, false, false}; };
    EventQueue queue;
    std::vector<Step> handled;
    queue.post(step(Step::grant));
    queue.post(step(Step::claim));
    queue.drain([&](InternalEvent&& event) {
        const Step what = *std::get<takeover::Next>(event).step;
        handled.push_back(what);
        if (what == Step::grant) {
            queue.post(step(Step::shut_gate));
            queue.post(step(Step::install_hot));
        } else if (what == Step::shut_gate) {
            queue.post(step(Step::mute_sessions));
        }
    });
    EXPECT_THAT(handled, ElementsAre(Step::grant, Step::shut_gate, Step::mute_sessions,
                                     Step::install_hot, Step::claim));
    queue.drain([](InternalEvent&&) { FAIL() << "nothing is left"; });
}

TEST(EventQueueTest, NoHandlerDrainsItAndNoEventLeadsToAnotherForEver) {
    EventQueue queue;
    queue.post(VotersDue{});
    EXPECT_DEATH(queue.drain([&](InternalEvent&&) { queue.drain([](InternalEvent&&) {}); }),
                 "is_draining_");
    EXPECT_DEATH(queue.drain([&](InternalEvent&&) { queue.post(VotersDue{}); }), "kEventsMax");
}

TEST(OwnLeaseTest, GivesTheRoleAwayOnceAfterItsPatience) {
    OwnLease lease;
    EXPECT_FALSE(lease.look(true, true, kStart));
    EXPECT_EQ(lease.next_deadline(true), kStart + seconds(4));
    EXPECT_FALSE(lease.look(true, true, kStart + milliseconds(3999)));
    EXPECT_TRUE(lease.look(true, true, kStart + seconds(4)));
    EXPECT_EQ(lease.missing(kStart + seconds(4)), seconds(4));
    EXPECT_TRUE(lease.gives_role_away());
    EXPECT_FALSE(lease.look(true, true, kStart + seconds(5))) << "once";
    EXPECT_EQ(lease.unanswered(), 1U);
    EXPECT_FALSE(lease.look(false, true, kStart + seconds(6)));
    EXPECT_FALSE(lease.gives_role_away());
}

TEST(OwnLeaseTest, GivesItToNobody) {
    OwnLease lease;
    EXPECT_FALSE(lease.look(true, false, kStart));
    EXPECT_FALSE(lease.look(true, false, kStart + seconds(9)));
    EXPECT_EQ(lease.next_deadline(false), std::nullopt);
    EXPECT_TRUE(lease.look(true, true, kStart + seconds(9))) << "a standby is in sync at last";
}

TEST(BlockersTest, ServicesThatHaveNotEndedAreResetAgainUntilTheyHave) {
    const replica::Replica replica(kGateway, NodeId{1});
    Blockers blockers;
    EXPECT_FALSE(blockers.on_services_reset(true, kStart)) << "nothing new";
    EXPECT_FALSE(blockers.on_services_reset(false, kStart));
    EXPECT_THAT(blockers.list(replica), ElementsAre(::testing::HasSubstr("have not ended")));
    EXPECT_FALSE(blockers.reset_again(kStart + seconds(4)));
    EXPECT_EQ(blockers.next_reset(), kStart + seconds(5));
    EXPECT_TRUE(blockers.reset_again(kStart + seconds(5)));
    EXPECT_TRUE(blockers.resetting());
    EXPECT_FALSE(blockers.reset_again(kStart + seconds(60))) << "one at a time";
    EXPECT_TRUE(blockers.on_services_reset(true, kStart + seconds(6)));
    EXPECT_TRUE(blockers.end_resetting());
    EXPECT_FALSE(blockers.end_resetting());
    EXPECT_THAT(blockers.list(replica), IsEmpty());
}

TEST(BlockersTest, RoutingOfSomebodyElseLowersAStandby) {
    replica::Replica replica(kGateway, NodeId{1});
    replica.on_members({NodeId{1}}, true, kStart);
    (void)replica.begin_epoch({1, NodeId{1}}, kStart);
    Blockers blockers;
    blockers.set_routing({"table 1001 is that of the VRF mgmt"});
    EXPECT_EQ(blockers.standing(replica), wire::Level::complete) << "the promoted node";
    replica.end_epoch(kStart);
    EXPECT_EQ(blockers.standing(replica), wire::Level::partial);
    EXPECT_THAT(blockers.list(replica), ::testing::Contains("table 1001 is that of the VRF mgmt"));
    blockers.clear();
    EXPECT_EQ(blockers.standing(replica), wire::Level::partial) << "it is the node's";
    blockers.set_routing({});
    EXPECT_EQ(blockers.standing(replica), wire::Level::complete);
}

TEST(BlockersTest, AFollowerWithAnotherSetUpIsPartialAndOneWithServicesIsWorthNothing) {
    replica::Replica replica(kGateway, NodeId{1});
    replica.on_members({NodeId{1}}, true, kStart);
    (void)replica.begin_epoch({1, NodeId{1}}, kStart);
    Blockers blockers;
    blockers.set_differences({"pools"});
    EXPECT_EQ(blockers.standing(replica), wire::Level::complete) << "the promoted node";
    replica.end_epoch(kStart);
    EXPECT_EQ(blockers.standing(replica), wire::Level::partial);
    (void)blockers.on_services_reset(false, kStart);
    EXPECT_EQ(blockers.standing(replica), wire::Level::empty);
    blockers.clear();
    EXPECT_EQ(blockers.standing(replica), wire::Level::complete);
}

}  // namespace gateway_parts_test
}  // namespace vpnha::node
