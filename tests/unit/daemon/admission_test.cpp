// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/admission.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/admission_watch.hpp"

namespace vpnha::runtime {
namespace admission_test {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr config::Admission kMarks{
    .conntrack = 90, .descriptors = 95, .memory = 0, .processor = 80};

TEST(AdmissionTest, ClosesAtItsMarkAndOpensBelowIt) {
    Admission admission(kMarks);
    EXPECT_FALSE(admission.on_load({.conntrack = 89.9}));
    const auto closed = admission.on_load({.conntrack = 90.0, .descriptors = 5.0});
    ASSERT_TRUE(closed);
    EXPECT_THAT(closed->text, HasSubstr("event=admission-closed: conntrack 90 % of it are used"));
    EXPECT_TRUE(admission.closed());
    EXPECT_FALSE(admission.on_load({.conntrack = 86.0})) << "not yet";
    EXPECT_TRUE(admission.closed());
    const auto open = admission.on_load({.conntrack = 84.0});
    ASSERT_TRUE(open);
    EXPECT_THAT(open->text, HasSubstr("event=admission-open"));
    EXPECT_FALSE(admission.closed());
    EXPECT_EQ(admission.closures(), 1U);
}

TEST(AdmissionTest, OpensWhenNothingIsUsedUpAnyMore) {
    Admission admission(kMarks);
    ASSERT_TRUE(admission.on_load({.conntrack = 95.0, .descriptors = 96.0}));
    EXPECT_THAT(admission.causes(), ElementsAre("conntrack", "descriptors"));
    EXPECT_FALSE(admission.on_load({.conntrack = 10.0, .descriptors = 96.0}));
    EXPECT_THAT(admission.causes(), ElementsAre("descriptors"));
    EXPECT_TRUE(admission.on_load({.conntrack = 10.0, .descriptors = 10.0}));
}

TEST(AdmissionTest, WhatIsNotMindedOrNotKnownClosesNothing) {
    Admission admission(kMarks);
    EXPECT_FALSE(admission.on_load({.memory = 100.0}));
    EXPECT_FALSE(admission.on_load({}));
    EXPECT_FALSE(admission.closed());
}

TEST(AdmissionTest, ABusyProcessorHasToBeBusyForAWhile) {
    Admission admission(kMarks);
    int seconds = 1;
    while (!admission.on_load({.processor = 100.0}) && seconds < 100) {
        ++seconds;
    }
    EXPECT_GT(seconds, 5);
    EXPECT_LT(seconds, 15);
}

TEST(AdmissionTest, ALoadIsWhatTwoReadingsReport) {
    adapters::NodeLoad before;
    before.processor_ticks = {100, 1000};
    adapters::NodeLoad now;
    now.processor_ticks = {150, 1200};
    now.conntrack = {30, 40};
    now.own_descriptors = {1, 4};
    now.files = {1, 2};
    const Load load = load_of(before, now);
    EXPECT_EQ(load.processor, 25.0);
    EXPECT_EQ(load.conntrack, 75.0);
    EXPECT_EQ(load.descriptors, 50.0) << "the larger share";
    EXPECT_EQ(load.memory, std::nullopt);
    EXPECT_EQ(load_of({}, now).processor, std::nullopt);
    EXPECT_EQ(load_of(now, now).processor, std::nullopt);
    now.conntrack = {0, 0};
    EXPECT_EQ(load_of(before, now).conntrack, std::nullopt) << "without a bound";
}

}  // namespace admission_test
}  // namespace vpnha::runtime
