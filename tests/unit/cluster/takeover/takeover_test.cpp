// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/takeover/takeover.hpp"

#include <gmock/gmock.h>

#include <vector>

namespace vpnha::takeover {
namespace takeover_test {

using ::testing::ElementsAre;

// Runs steps until the transition ends; `failing` fails whenever it comes.
std::vector<Step> run_to_end(Takeover& takeover, Next& next, std::optional<Step> failing = {}) {
    std::vector<Step> steps;
    while (next.step) {
        steps.push_back(*next.step);
        next = takeover.on_step(next.step != failing);
    }
    return steps;
}

Takeover promoted() {
    Takeover takeover;
    Next next = takeover.promote();
    run_to_end(takeover, next);
    return takeover;
}

TEST(TakeoverTest, PromotionOpensTheGateOnlyAfterTheAddresses) {
    Takeover takeover;
    Next next = takeover.promote();
    EXPECT_TRUE(takeover.busy());
    EXPECT_THAT(run_to_end(takeover, next),
                ElementsAre(Step::grant, Step::warm_counters, Step::claim, Step::add_addresses,
                            Step::open_gate, Step::announce, Step::resume_sessions,
                            Step::activate_services));
    EXPECT_TRUE(next.finished && next.succeeded);
    EXPECT_EQ(takeover.state(), State::promoted);
}

TEST(TakeoverTest, StandingInOpensTheGateBeforeTheGroupIsReceived) {
    Takeover takeover;
    Next next = takeover.stand_in();
    EXPECT_EQ(takeover.state(), State::standing_in);
    EXPECT_TRUE(takeover.busy());
    EXPECT_FALSE(takeover.serves());
    EXPECT_FALSE(takeover.waits_for_group());
    EXPECT_THAT(run_to_end(takeover, next),
                ElementsAre(Step::warm_counters, Step::add_addresses, Step::open_gate,
                            Step::announce, Step::await_group, Step::claim, Step::resume_sessions,
                            Step::activate_services));
    EXPECT_TRUE(next.finished && next.succeeded);
    EXPECT_EQ(takeover.state(), State::promoted);
}

TEST(TakeoverTest, WhatEndsStandingInReleases) {
    for (const bool demoted : {true, false}) {
        Takeover takeover;
        Next next = takeover.stand_in();
        while (next.step != Step::await_group) {
            next = takeover.on_step(true);
        }
        EXPECT_TRUE(takeover.waits_for_group());
        const Next none = demoted ? takeover.demote() : takeover.lost();
        EXPECT_FALSE(none.step || none.finished);
        next = takeover.on_step(true);
        EXPECT_EQ(run_to_end(takeover, next).front(), Step::shut_gate);
        EXPECT_EQ(takeover.state(), State::standby);
    }
}

TEST(TakeoverTest, AGroupThatIsNotReceivedUndoesStandingIn) {
    Takeover takeover;
    Next next = takeover.stand_in();
    EXPECT_EQ(run_to_end(takeover, next, Step::await_group).back(), Step::install_hot);
    EXPECT_TRUE(next.succeeded);
    EXPECT_EQ(takeover.state(), State::standby);
}

TEST(TakeoverTest, DemotedItServesOnUntilTheLeaseHasEnded) {
    Takeover takeover = promoted();
    EXPECT_TRUE(takeover.demote().succeeded);
    EXPECT_EQ(takeover.state(), State::draining);
    EXPECT_TRUE(takeover.serves());
    EXPECT_TRUE(takeover.demote().succeeded);
    EXPECT_TRUE(takeover.promote().succeeded);
    EXPECT_EQ(takeover.state(), State::promoted);
}

TEST(TakeoverTest, AReleaseShutsTheGateBeforeAnythingElse) {
    Takeover takeover = promoted();
    static_cast<void>(takeover.demote());
    Next next = takeover.lost();
    EXPECT_THAT(run_to_end(takeover, next),
                ElementsAre(Step::shut_gate, Step::mute_sessions, Step::deactivate_services,
                            Step::remove_addresses, Step::reset_services, Step::install_hot));
    EXPECT_TRUE(next.finished && next.succeeded);
    EXPECT_EQ(takeover.state(), State::standby);
}

TEST(TakeoverTest, AFailedStepUndoesThePromotion) {
    for (const Step failing :
         {Step::grant, Step::warm_counters, Step::claim, Step::add_addresses, Step::open_gate,
          Step::announce, Step::resume_sessions, Step::activate_services}) {
        Takeover takeover;
        Next next = takeover.promote();
        const std::vector<Step> steps = run_to_end(takeover, next, failing);
        EXPECT_EQ(steps.back(), Step::install_hot) << to_string(failing);
        EXPECT_TRUE(next.finished) << to_string(failing);
        EXPECT_TRUE(next.succeeded) << "it is silent: " << to_string(failing);
        EXPECT_EQ(takeover.state(), State::standby) << to_string(failing);
    }
}

TEST(TakeoverTest, ADemotionFailsOnlyWhenTheGateStaysOpen) {
    Takeover gate = promoted();
    Next next = gate.lost();
    run_to_end(gate, next, Step::shut_gate);
    EXPECT_FALSE(next.succeeded);

    Takeover services = promoted();
    next = services.lost();
    run_to_end(services, next, Step::reset_services);
    EXPECT_TRUE(next.succeeded);
}

TEST(TakeoverTest, DemotedWhileTakingOverReleasesAfterTheStepUnderWay) {
    Takeover takeover;
    static_cast<void>(takeover.promote());
    const Next nothing = takeover.demote();
    EXPECT_FALSE(nothing.step || nothing.finished);
    Next next = takeover.on_step(true);
    EXPECT_EQ(next.step, Step::shut_gate);
    run_to_end(takeover, next);
    EXPECT_TRUE(next.finished && next.succeeded);
    EXPECT_EQ(takeover.state(), State::standby);
}

TEST(TakeoverTest, ALeaseLostWhileTakingOverReleasesAfterTheStepUnderWay) {
    Takeover takeover;
    static_cast<void>(takeover.promote());
    EXPECT_FALSE(takeover.lost().step);
    EXPECT_EQ(takeover.on_step(true).step, Step::shut_gate);
    EXPECT_FALSE(takeover.lost().step);
}

TEST(TakeoverTest, AStandbyHasNoLeaseToLose) {
    Takeover takeover;
    const Next next = takeover.lost();
    EXPECT_FALSE(next.step || next.finished);
    EXPECT_EQ(takeover.state(), State::standby);
}

TEST(TakeoverTest, RepeatedCallsFinishAtOnce) {
    Takeover standby;
    EXPECT_TRUE(standby.demote().succeeded);
    Takeover takeover = promoted();
    EXPECT_TRUE(takeover.promote().succeeded);
    EXPECT_EQ(takeover.state(), State::promoted);
}

TEST(TakeoverDeathTest, PromoteWhileBusyIsImpossible) {
    Takeover takeover;
    static_cast<void>(takeover.promote());
    EXPECT_DEATH(static_cast<void>(takeover.promote()), "impossible state");
}

TEST(TakeoverTest, AGateThatCouldNotBeShutIsShutByTheNextDemotion) {
    Takeover takeover;
    static_cast<void>(takeover.promote());
    Next next = takeover.on_step(false);  // grant; the promotion is undone.
    ASSERT_EQ(next.step, Step::shut_gate);
    next = takeover.on_step(false);
    while (next.step) {
        next = takeover.on_step(true);
    }
    EXPECT_FALSE(next.succeeded);
    next = takeover.demote();
    ASSERT_EQ(next.step, Step::shut_gate);
    while (next.step) {
        next = takeover.on_step(true);
    }
    EXPECT_TRUE(next.succeeded);
    EXPECT_TRUE(takeover.demote().finished);
}

}  // namespace takeover_test
}  // namespace vpnha::takeover
