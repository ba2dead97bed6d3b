// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/lease/lease_saves.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vpnha::node {
namespace lease_saves_test {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr TimePoint kUntil{std::chrono::seconds(1000)};

lease::Durable durable(std::uint64_t claimed) {
    lease::Durable durable;
    durable.claimed = {claimed, NodeId{1}};
    return durable;
}

lease::Effects one(lease::Effect effect) {
    lease::Effects effects;
    effects.push_back(std::move(effect));
    return effects;
}

class LeaseSavesTest : public ::testing::Test {
  protected:
    // What is carried out at once.
    lease::Effects ready(lease::Effect effect) { return saves_.take(one(std::move(effect))).ready; }
    std::uint64_t save(const lease::Durable& durable) {
        return saves_.take(one(lease::SaveDurable{durable})).saves.at(0).ticket;
    }
    LeaseSaves saves_{durable(1), TimePoint{}};
};

TEST_F(LeaseSavesTest, WithoutASaveNothingWaits) {
    EXPECT_THAT(ready(lease::Granted{}), SizeIs(1));
    EXPECT_THAT(ready(lease::SetDeadline{kUntil}), SizeIs(1));
}

TEST_F(LeaseSavesTest, WhatRestsOnASaveWaitsForItAndComesInItsOrder) {
    const std::uint64_t first = save(durable(2));
    EXPECT_THAT(ready(lease::Granted{}), IsEmpty());
    const std::uint64_t second = save(durable(3));
    EXPECT_THAT(ready(lease::SetDeadline{kUntil}), IsEmpty());
    EXPECT_THAT(saves_.on_saved(first, true).ready, SizeIs(1));
    EXPECT_EQ(saves_.on_disk(), durable(2));
    EXPECT_THAT(saves_.on_saved(second, true).ready, SizeIs(1));
}

TEST_F(LeaseSavesTest, TheAnswerToALaterSaveCountsForTheEarlierOnes) {
    save(durable(2));
    EXPECT_THAT(ready(lease::Granted{}), IsEmpty());
    const std::uint64_t second = save(durable(3));
    EXPECT_THAT(ready(lease::SetDeadline{kUntil}), IsEmpty());
    EXPECT_THAT(saves_.on_saved(second, true).ready, SizeIs(2));
    EXPECT_EQ(saves_.on_disk(), durable(3));
}

TEST_F(LeaseSavesTest, AMarkOnAnotherNodeHoldsUpNoRenewal) {
    lease::Durable marked = durable(1);
    marked.marks.push_back({});
    save(marked);
    EXPECT_THAT(ready(lease::SetDeadline{kUntil}), SizeIs(1));
    EXPECT_THAT(ready(lease::Granted{}), IsEmpty());
}

TEST_F(LeaseSavesTest, ARenewalCarriesTheMarksThatAreOnTheDisk) {
    const lease::Mark first{NodeId{2}, {}};
    const lease::Mark second{NodeId{3}, {}};
    lease::Durable marked = durable(1);
    marked.marks = {first};
    ASSERT_THAT(saves_.on_saved(save(marked), true).ready, IsEmpty());
    marked.marks = {first, second};
    const std::uint64_t ticket = save(marked);
    lease::Round round;
    round.marks = marked.marks;
    const auto marks_of = [&] {
        const lease::Effects sent = ready(lease::Send{NodeId{2}, round});
        return std::get<lease::Round>(std::get<lease::Send>(sent.at(0)).message).marks;
    };
    EXPECT_EQ(marks_of(), lease::Marks{first});
    ASSERT_THAT(saves_.on_saved(ticket, true).ready, IsEmpty());
    EXPECT_EQ(marks_of(), round.marks);
}

// Another node may have served meanwhile: then the gate stays shut.
TEST_F(LeaseSavesTest, NoDeadlineOvertakesTheGrantThatItIsOf) {
    lease::Durable marked = durable(1);
    marked.marks.push_back({});
    const std::uint64_t ticket = save(marked);
    EXPECT_THAT(ready(lease::Granted{}), IsEmpty());
    EXPECT_THAT(ready(lease::SetDeadline{kUntil}), IsEmpty());
    const lease::Effects after = saves_.on_saved(ticket, true).ready;
    ASSERT_THAT(after, SizeIs(2));
    EXPECT_TRUE(std::holds_alternative<lease::Granted>(after[0]));
}

TEST_F(LeaseSavesTest, WhatShutsTheGateNeverWaitsAndTakesBackWhatWouldOpenIt) {
    const std::uint64_t ticket = save(durable(2));
    EXPECT_THAT(ready(lease::SetDeadline{kUntil}), IsEmpty());
    EXPECT_THAT(ready(lease::Granted{}), IsEmpty());
    EXPECT_THAT(ready(lease::SetDeadline{}), SizeIs(1));
    EXPECT_THAT(saves_.on_saved(ticket, true).ready, SizeIs(1)) << "the grant alone";
}

TEST_F(LeaseSavesTest, AnEndTakesBackTheGrant) {
    const std::uint64_t ticket = save(durable(2));
    EXPECT_THAT(ready(lease::Granted{}), IsEmpty());
    EXPECT_THAT(ready(lease::Ended{}), SizeIs(1));
    EXPECT_THAT(saves_.on_saved(ticket, true).ready, IsEmpty());
}

TEST_F(LeaseSavesTest, AFailedSaveDropsWhatRestsOnItAndOnLaterOnes) {
    const std::uint64_t first = save(durable(2));
    const std::uint64_t second = save(durable(3));
    EXPECT_THAT(ready(lease::Granted{}), IsEmpty());
    const LeaseSaves::Outcome failed = saves_.on_saved(first, false);
    EXPECT_TRUE(failed.lost_grant);
    EXPECT_TRUE(failed.changed);
    EXPECT_FALSE(saves_.work());
    EXPECT_EQ(saves_.failed(), 1U);
    EXPECT_EQ(saves_.on_disk(), durable(1));
    const LeaseSaves::Outcome saved = saves_.on_saved(second, true);
    EXPECT_THAT(saved.ready, IsEmpty());
    EXPECT_FALSE(saved.lost_grant);
    EXPECT_TRUE(saves_.work());
}

}  // namespace lease_saves_test
}  // namespace vpnha::node
