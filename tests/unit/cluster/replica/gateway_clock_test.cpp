// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/replica/gateway_clock.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace vpnha::replica {
namespace gateway_clock_test {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr GatewayId kGateway{1};
constexpr std::uint64_t kUnixMs = 1'767'225'600'000;
constexpr Epoch kFirst{1, NodeId{1}};
constexpr Epoch kSecond{2, NodeId{2}};

// Two nodes, whose clocks differ; the second one booted an hour before.
class GatewayClockTest : public ::testing::Test {
  protected:
    GatewayClockTest() {
        a_.set_wall(milliseconds(kUnixMs));
        b_.set_wall(milliseconds(kUnixMs) + hours(24) - hours(1));
        a_.serve(kFirst, now_);
    }
    [[nodiscard]] TimePoint at_b() const { return now_ + hours(1); }
    [[nodiscard]] std::uint64_t unix_ms() const {
        return kUnixMs +
               static_cast<std::uint64_t>(
                   std::chrono::duration_cast<milliseconds>(now_.time_since_epoch()).count());
    }
    // A says what is due, and B hears it so much later.
    bool emit(Duration delay = {}) {
        const auto due = a_.take_due(false, now_);
        if (due) {
            b_.handle(*due, true, at_b() + delay);
        }
        return due.has_value();
    }

    TimePoint now_{seconds(100)};
    GatewayClock a_{kGateway};
    GatewayClock b_{kGateway};
};

TEST_F(GatewayClockTest, ItIsTheUnixTimeOfWhoServesFirstAndContinuesElsewhere) {
    EXPECT_EQ(a_.at(now_), unix_ms());
    ASSERT_TRUE(emit());
    EXPECT_EQ(b_.at(at_b()), unix_ms());
    EXPECT_EQ(b_.when(unix_ms() - 5000), at_b() - seconds(5));
    now_ += seconds(30);
    b_.serve(kSecond, at_b());
    EXPECT_EQ(b_.at(at_b()), unix_ms());
}

TEST_F(GatewayClockTest, WhatSomebodySetsChangesNothingWhereANodeServes) {
    a_.set_wall(milliseconds(kUnixMs) + hours(100));
    EXPECT_EQ(a_.at(now_), unix_ms());
    ASSERT_TRUE(emit());
    EXPECT_EQ(b_.at(at_b()), unix_ms());
}

TEST_F(GatewayClockTest, ItIsReportedEachTenSecondsAndToWhoAsksForASnapshot) {
    EXPECT_TRUE(emit());
    EXPECT_FALSE(emit());
    EXPECT_EQ(a_.next_deadline(), now_ + limits::kDigestInterval);
    a_.on_asked();
    EXPECT_TRUE(emit());
    now_ += limits::kDigestInterval;
    EXPECT_TRUE(emit());
}

TEST_F(GatewayClockTest, WhoeverKnowsItRelaysItWhereNobodyServes) {
    b_.on_asked();
    EXPECT_FALSE(b_.take_due(true, at_b())) << "it has not heard of it";
    emit();
    b_.on_asked();
    EXPECT_FALSE(b_.take_due(false, at_b()));
    b_.on_asked();
    const auto relayed = b_.take_due(true, at_b());
    ASSERT_TRUE(relayed.has_value());
    EXPECT_EQ(relayed->epoch, kFirst);
    EXPECT_EQ(relayed->gateway_ms, unix_ms());
    GatewayClock c{kGateway};
    c.handle(*relayed, false, now_);
    EXPECT_EQ(c.at(now_), unix_ms());
    EXPECT_FALSE(c.difference()) << "who relays it need not be right";
}

TEST_F(GatewayClockTest, TheMessageThatWasLeastDelayedCountsAndADriftIsFollowed) {
    emit(seconds(3));
    EXPECT_EQ(b_.at(at_b()), unix_ms() - 3000);
    now_ += limits::kDigestInterval;
    emit();
    EXPECT_EQ(b_.at(at_b()), unix_ms());
    now_ += limits::kDigestInterval;
    emit(seconds(5));
    EXPECT_NEAR(static_cast<double>(b_.at(at_b())), static_cast<double>(unix_ms()), 8);
}

TEST_F(GatewayClockTest, AnOlderEpochIsNotReceivedAndANewOneCountsAtOnce) {
    emit();
    b_.handle({kGateway, kSecond, unix_ms() - 40'000, unix_ms()}, true, at_b());
    EXPECT_EQ(b_.at(at_b()), unix_ms() - 40'000);
    b_.handle({kGateway, kFirst, unix_ms(), unix_ms()}, true, at_b());
    EXPECT_EQ(b_.at(at_b()), unix_ms() - 40'000);
    // Nor by who serves.
    b_.serve(kSecond, at_b());
    b_.handle({kGateway, {3, NodeId{1}}, unix_ms(), unix_ms()}, true, at_b());
    EXPECT_EQ(b_.at(at_b()), unix_ms() - 40'000);
}

TEST_F(GatewayClockTest, AClockThatDiffersIsAstrayAfterTwoMessages) {
    emit();
    EXPECT_FALSE(b_.is_astray()) << "one may have come late";
    now_ += limits::kDigestInterval;
    emit();
    EXPECT_TRUE(b_.is_astray());
    EXPECT_EQ(b_.difference(), Duration(hours(24)));
    // Somebody sets it.
    b_.set_wall(milliseconds(kUnixMs) - hours(1) + milliseconds(200));
    now_ += limits::kDigestInterval;
    emit();
    EXPECT_FALSE(b_.is_astray());
    EXPECT_EQ(b_.difference(), Duration(milliseconds(200)));
    // Behind, and in between: it stays what it was.
    for (const auto& [behind, is_astray] : {std::pair{milliseconds(1'900), false},
                                            {milliseconds(2'100), true},
                                            {milliseconds(1'100), true},
                                            {milliseconds(900), false}}) {
        b_.set_wall(milliseconds(kUnixMs) - hours(1) - behind);
        for (int i = 0; i < 2; ++i) {
            now_ += limits::kDigestInterval;
            emit();
        }
        EXPECT_EQ(b_.is_astray(), is_astray) << behind.count();
    }
    b_.serve(kSecond, at_b());
    EXPECT_FALSE(b_.difference());
}

TEST_F(GatewayClockTest, NoMessageOverflows) {
    for (const std::uint64_t far : {std::uint64_t{0}, ~std::uint64_t{0}}) {
        GatewayClock clock{kGateway};
        clock.set_wall(milliseconds(kUnixMs));
        clock.handle({kGateway, kFirst, far, far}, true, now_);
        clock.handle({kGateway, kFirst, ~far, ~far}, true, now_ + seconds(10));
        EXPECT_TRUE(clock.is_astray());
        EXPECT_GE(clock.at(now_), 0U);
        (void)clock.when(~std::uint64_t{0});
    }
}

}  // namespace gateway_clock_test
}  // namespace vpnha::replica
