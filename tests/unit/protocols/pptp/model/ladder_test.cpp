// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/model/ladder.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace vpnha::pptp {
namespace ladder_test {

using namespace std::chrono_literals;

// The client never acknowledges: its answers alone prove something.
TEST(LadderTest, AnAnswerToThePredecessorsRungsCountsForNothing) {
    const TimePoint begun{std::chrono::hours(1)};
    for (unsigned tenure = 0; tenure < 256; ++tenure) {
        Ladder before(99, false, static_cast<std::uint8_t>(tenure), begun);
        Ladder ladder(99, false, static_cast<std::uint8_t>(tenure + 1), begun);
        before.on_path(5ms, begun);
        ladder.on_path(5ms, begun);
        std::set<std::uint8_t> ids;
        for (TimePoint now = begun; now < begun + 1s; now += 1ms) {
            for (const Ladder::Rung& rung : before.on_time(now)) {
                ids.insert(rung.id);
            }
            static_cast<void>(ladder.on_time(now));
        }
        ASSERT_GE(ids.size(), 9U);
        for (const std::uint8_t id : ids) {
            ladder.on_received(9, std::nullopt, false, begun + 1s);
            ladder.on_echo_reply(9, id, begun + 1s);
        }
        ASSERT_FALSE(ladder.position(begun + 2s)) << tenure;
    }
}

TEST(LadderTest, ARungThatIsAnsweredIsThePosition) {
    const TimePoint begun{std::chrono::hours(1)};
    Ladder ladder(99, false, 7, begun);
    const auto rungs = ladder.on_time(begun);
    ASSERT_EQ(rungs.size(), 1U);
    EXPECT_EQ(rungs[0].number, 100U);
    ladder.on_echo_reply(9, rungs[0].id, begun + 5ms);
    const auto position = ladder.position(begun + 5ms);
    ASSERT_TRUE(position);
    EXPECT_EQ(position->rung, 0);
    EXPECT_EQ(position->missed, 0U);
}

// S5. Each of them has its keys to be made.
TEST(LadderTest, AcknowledgementsMoveItNoFurtherThanOneCanBeBelieved) {
    const TimePoint begun{std::chrono::hours(1)};
    Ladder ladder(99, true, 7, begun);
    static_cast<void>(ladder.on_time(begun));
    for (std::uint32_t i = 1; i <= 100; ++i) {
        ladder.on_received(9, 99 + i * 60'000, true, begun + 1ms);
    }
    const auto rungs = ladder.on_time(begun + 1ms);
    ASSERT_EQ(rungs.size(), 1U);
    ladder.on_received(9, rungs[0].number, false, begun + 2ms);
    ladder.on_echo_reply(9, rungs[0].id, begun + 2ms);
    const auto position = ladder.position(begun + 2ms);
    ASSERT_TRUE(position);
    EXPECT_EQ(position->missed, 60'000U);
}

// S4. It made the index jump farther than a client follows.
TEST(LadderTest, AnAcknowledgementThatAnybodyMayHaveSentMovesNothing) {
    const TimePoint begun{std::chrono::hours(1)};
    Ladder ladder(99, true, 7, begun);
    const auto rungs = ladder.on_time(begun);
    ladder.on_received(9, 5000, false, begun + 1ms);
    ladder.on_received(9, rungs[0].number, false, begun + 2ms);
    ladder.on_echo_reply(9, rungs[0].id, begun + 2ms);
    const auto position = ladder.position(begun + 2ms);
    ASSERT_TRUE(position);
    EXPECT_EQ(position->missed, 0U);
}

TEST(LadderTest, AnAnswerThatOvertakesItsAcknowledgementIsNotRefused) {
    const TimePoint begun{std::chrono::hours(1)};
    Ladder ladder(99, true, 7, begun);
    std::vector<Ladder::Rung> rungs;
    for (TimePoint now = begun; now <= begun + 40ms; now += 20ms) {
        rungs = ladder.on_time(now);
    }
    ladder.on_path(5ms, begun + 41ms);
    ladder.on_received(10, std::nullopt, false, begun + 59ms);
    ladder.on_echo_reply(10, rungs[0].id, begun + 59ms);
    EXPECT_TRUE(ladder.on_time(begun + 70ms).empty());
    ladder.on_received(9, rungs[0].number, true, begun + 71ms);
    const auto position = ladder.position(begun + 71ms);
    ASSERT_TRUE(position);
    EXPECT_EQ(position->rung, 0);
}

// Linux' own PPTP, to which rung 5 has come before rung 2; neither was new but rung 5.
TEST(LadderTest, WhereAnAnswerIsRefusedARungCountsWhoseOwnNumberIsAcknowledged) {
    const TimePoint begun{std::chrono::hours(1)};
    Ladder ladder(99, true, 7, begun);
    ladder.on_path(5ms, begun);
    std::map<std::uint32_t, std::uint8_t> ids;
    for (TimePoint now = begun; now < begun + 150ms; now += 1ms) {
        for (const Ladder::Rung& rung : ladder.on_time(now)) {
            ids[rung.number] = rung.id;
        }
    }
    const auto answer = [&](std::uint32_t number, std::uint32_t rung, bool acknowledges) {
        const std::uint32_t asked = 99 + 512 * rung;
        ladder.on_received(number, acknowledges ? std::optional(asked) : std::nullopt, true,
                           begun + 150ms);
        ladder.on_echo_reply(number, ids.at(asked), begun + 150ms);
    };
    answer(9, 1, false);
    answer(10, 5, true);
    answer(11, 2, false);
    const auto position = ladder.position(begun + 170ms);
    ASSERT_TRUE(position);
    EXPECT_EQ(position->rung, 5);
    EXPECT_EQ(position->missed, 5U * 512);
}

}  // namespace ladder_test
}  // namespace vpnha::pptp
