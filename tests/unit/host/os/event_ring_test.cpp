// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/event_ring.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace vpnha::adapters {
namespace event_ring_test {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

TEST(EventRingTest, ALineIsTakenApart) {
    const auto event =
        parse_event("resync asked for event=resync gateway=dialin epoch=4.1: a gap=3 was seen");
    ASSERT_TRUE(event);
    EXPECT_EQ(event->word, "resync");
    EXPECT_THAT(event->fields, ElementsAre(Pair("epoch", "4.1"), Pair("gateway", "dialin")));
    EXPECT_EQ(event->text,
              "resync asked for event=resync gateway=dialin epoch=4.1: a gap=3 was seen");
}

TEST(EventRingTest, AWordEndsWhereAnythingElseBegins) {
    const auto word = [](std::string_view line) {
        const auto event = parse_event(line);
        return event ? event->word + "," + std::to_string(event->fields.size()) : "none";
    };
    EXPECT_EQ(word("event=ended: killed by a=b"), "ended,0");
    EXPECT_EQ(word("it is over event=ended"), "ended,0");
    EXPECT_EQ(word("event=a x=1 y=2 why z=3"), "a,2") << "words follow";
    EXPECT_EQ(word("event=a =1"), "a,0");
    EXPECT_EQ(word("event=a x="), "a,1");
    EXPECT_EQ(word("event="), ",0");
    EXPECT_EQ(word("noevent=a"), "none");
    EXPECT_EQ(word("noevent=a event=b"), "b,0");
    EXPECT_EQ(word(""), "none");
}

TEST(EventRingTest, WhatIsBehindASequenceNumberIsReported) {
    EventRing ring;
    ring.note(LogLevel::info, 5, "first event=one");
    ring.note(LogLevel::error, 6, "no more than words");
    ring.note(LogLevel::debug, 7, "event=too-much");
    ring.note(LogLevel::warning, 8, "event=two");
    const auto all = ring.after(0);
    ASSERT_THAT(all, SizeIs(2));
    EXPECT_EQ(all[0].unix_us, 5U);
    EXPECT_EQ(all[1].level, LogLevel::warning);
    EXPECT_THAT(ring.after(all[0].sequence), SizeIs(1));
    EXPECT_THAT(ring.after(all[1].sequence), IsEmpty());
    EXPECT_THAT(ring.after(99), IsEmpty());
}

TEST(EventRingTest, TheOldestGoAndNumbersContinue) {
    EventRing ring;
    for (std::size_t i = 0; i < limits::kEventsKept + 10; ++i) {
        ring.note(LogLevel::info, i, "event=x");
    }
    const auto first = ring.after(0);
    ASSERT_THAT(first, SizeIs(limits::kEventsAnswered));
    EXPECT_EQ(first.front().sequence, 11U);
    EXPECT_EQ(ring.after(first.back().sequence).front().sequence, first.back().sequence + 1);
}

}  // namespace event_ring_test
}  // namespace vpnha::adapters
