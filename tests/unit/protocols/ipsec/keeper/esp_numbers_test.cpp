// SPDX-License-Identifier: GPL-2.0-or-later
// From which numbers the ESP SAs of a node continue that is granted the lease, one SA at a time.
#include "protocols/ipsec/keeper/esp_numbers.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace vpnha::keepers {
namespace esp_numbers_test {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t kIn = 7;
constexpr std::uint32_t kOut = 8;
// Five seconds and a millisecond, and one.
constexpr std::uint64_t kInFiveSeconds = limits::kEspPerSecond / 1000 * 5001 + 1;
const TimePoint kStart{seconds(1000)};
const IpAddress kVip = parse_ip("192.0.2.100").value_or(IpAddress{});
const IpAddress kClient = parse_ip("198.51.100.7").value_or(IpAddress{});

Epoch epoch(std::uint64_t number) {
    return {number, NodeId{1}};
}

ipsec::EspCounters record(std::uint64_t oseq, std::uint64_t born) {
    return {kIn, born, false, 32, oseq, 0, {0}};
}

class EspNumbersTest : public ::testing::Test {
  protected:
    // None of its SAs was known by then.
    void rise(std::optional<Duration> run_on, std::uint64_t granted = 4) {
        numbers_.rise(
            {}, {epoch(granted), run_on}, [](std::uint32_t) { return Epoch{}; }, kStart);
    }
    void list(std::uint64_t oseq, TimePoint at) {
        const ipsec::SaCounters in{{kClient, kVip, kIn}, 0, 32, false, 0, 0, {0}};
        const ipsec::SaCounters out{{kVip, kClient, kOut}, 0, 0, false, oseq, 0, {}};
        numbers_.on_listed({{kIn, {in, out}}}, at);
    }
    // With what number it continues, as charon has just made it.
    std::uint64_t made() {
        list(0, kStart + milliseconds(30));
        std::vector<ipsec::SaCounters> wanted;
        numbers_.set(kIn, false, wanted);
        EXPECT_TRUE(numbers_.is_right(kIn));
        return wanted.empty() ? 0 : wanted.front().oseq;
    }

    EspNumbers numbers_;
};

TEST_F(EspNumbersTest, AnSaOfAnEarlierEpochThatComesLateBeginsBeyondItsRecord) {
    numbers_.know(record(700, 3), epoch(3));
    rise(seconds(5));
    numbers_.rise_late(kIn, epoch(3), kStart);
    EXPECT_EQ(made(), 700 + kInFiveSeconds);
}

TEST_F(EspNumbersTest, AnSaThatComesLateWithoutNumbersBeginsBeyondItsEpoch) {
    rise(std::nullopt);
    numbers_.rise_late(kIn, epoch(2), kStart);
    EXPECT_EQ(made(), 2 * 2 * limits::kEspPerEpoch + limits::kEspLead);
}

TEST_F(EspNumbersTest, AnSaThatComesLateHasItsFloorOnce) {
    numbers_.know(record(700, 3), epoch(3));
    rise(seconds(5));
    numbers_.rise_late(kIn, epoch(3), kStart);
    numbers_.know(record(900, 3), epoch(3));
    numbers_.rise_late(kIn, epoch(3), kStart);
    EXPECT_EQ(made(), 700 + kInFiveSeconds);
}

// It has sent since it was read, and has no record that would say so.
TEST_F(EspNumbersTest, AnSaOfItsOwnEpochIsLeftAsItIs) {
    for (const std::uint64_t emitted : {4U, 5U}) {
        numbers_ = {};
        numbers_.know(record(700, emitted), epoch(emitted));
        rise(seconds(5));
        numbers_.rise_late(kIn, epoch(emitted), kStart);
        EXPECT_EQ(made(), 0U) << "said in epoch " << emitted;
    }
}

TEST_F(EspNumbersTest, AnSaWithoutARecordIsLeftAsItIs) {
    rise(seconds(5));
    numbers_.rise_late(kIn, Epoch{}, kStart);
    EXPECT_EQ(made(), 0U);
}

// An incomplete replica receives the SA first, and then its numbers.
TEST_F(EspNumbersTest, WhereNobodyKnowsTheMarginALaterRecordRaisesTheFloor) {
    constexpr std::uint64_t kUsed = 3'000'000'000;
    rise(std::nullopt);
    numbers_.rise_late(kIn, epoch(3), kStart);
    EXPECT_EQ(made(), 2 * limits::kEspPerEpoch);
    numbers_.know(record(kUsed, 3), epoch(3));
    EXPECT_FALSE(numbers_.is_right(kIn));
    EXPECT_EQ(made(), kUsed + 2 * limits::kEspPerEpoch);
    numbers_.know(record(700, 3), epoch(3));
    EXPECT_EQ(made(), kUsed + 2 * limits::kEspPerEpoch) << "no floor falls";
    numbers_.lose(kIn, kStart + milliseconds(20));
    EXPECT_GT(made(), kUsed + 2 * limits::kEspPerEpoch) << "it may have sent from there";
}

TEST_F(EspNumbersTest, ARecordOfALaterEpochRaisesNoFloor) {
    rise(std::nullopt);
    numbers_.rise_late(kIn, epoch(3), kStart);
    numbers_.know(record(3'000'000'000, 3), epoch(5));
    EXPECT_EQ(made(), 2 * limits::kEspPerEpoch) << "this node serves no more";
}

// Whoever has served has used no more by then than the margin says.
TEST_F(EspNumbersTest, WhereTheMarginIsKnownALaterRecordMovesNothing) {
    for (const Duration run_on : {Duration{}, Duration(seconds(5))}) {
        numbers_ = {};
        rise(run_on);
        numbers_.rise_late(kIn, epoch(3), kStart);
        const std::uint64_t floor = made();
        EXPECT_EQ(floor, run_on == Duration{} ? 0 : kInFiveSeconds);
        numbers_.know(record(5 * limits::kEspPerSecond, 3), epoch(3));
        EXPECT_EQ(made(), floor);
    }
}

}  // namespace esp_numbers_test
}  // namespace vpnha::keepers
