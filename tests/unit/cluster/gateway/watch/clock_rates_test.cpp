// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/watch/clock_rates.hpp"

#include <gmock/gmock.h>

namespace vpnha::node {
namespace clock_rates_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::int64_t kRatePpm = 10'000;
constexpr NodeId kHolder{3};

class ClockRatesTest : public ::testing::Test {
  protected:
    // Rounds each 100 ms of this node's clock, from a clock of that rate.
    void handle(Duration time, double rate) {
        for (Duration passed{}; passed < time; passed += milliseconds(100)) {
            now_ += milliseconds(100);
            sent_ += std::chrono::duration_cast<Duration>(milliseconds(100) * rate);
            rates_.note({kHolder, {}, life_}, sent_, now_ + delay_, kRatePpm);
        }
    }

    ClockRates rates_;
    lease::Instance life_{1};
    TimePoint now_{seconds(1000)};
    TimePoint sent_{seconds(7)};
    Duration delay_{};
};

TEST_F(ClockRatesTest, AClockIsAstrayAfterTwoStepsBeyondWhatIsAllowed) {
    handle(seconds(25), 0.67);
    EXPECT_THAT(rates_.take_news(), IsEmpty());
    handle(seconds(10), 0.67);
    const std::vector<ClockRates::Clock> news = rates_.take_news();
    ASSERT_THAT(news, SizeIs(1));
    EXPECT_EQ(news[0].node, kHolder);
    EXPECT_TRUE(news[0].astray);
    EXPECT_NEAR(news[0].rate, 0.67, 0.001);
    EXPECT_EQ(rates_.nodes_astray(), std::vector{kHolder});
    EXPECT_THAT(rates_.astray(), SizeIs(1));
    handle(seconds(60), 0.67);
    EXPECT_THAT(rates_.take_news(), IsEmpty()) << "reported once";
    handle(seconds(30), 1);
    EXPECT_THAT(rates_.take_news(), SizeIs(1));
    EXPECT_THAT(rates_.astray(), IsEmpty());
}

TEST_F(ClockRatesTest, WhereAMajorityDiffersTheOwnClockIsAstray) {
    const auto handle_all = [&](double rate_of_2) {
        for (Duration passed{}; passed < seconds(45); passed += milliseconds(100)) {
            now_ += milliseconds(100);
            const auto at = [&](double rate) {
                return std::chrono::duration_cast<Duration>(now_.time_since_epoch() * rate);
            };
            rates_.note({NodeId{2}, {}, life_}, TimePoint(at(rate_of_2)), now_, kRatePpm);
            rates_.note({kHolder, {}, life_}, TimePoint(at(0.97)), now_, kRatePpm);
        }
    };
    handle_all(1);
    EXPECT_FALSE(rates_.own_is_astray(3)) << "it is node 3's";
    handle_all(1.03);
    EXPECT_THAT(rates_.astray(), SizeIs(2));
    EXPECT_FALSE(rates_.own_is_astray(3)) << "one is faster, and one slower";
    handle_all(0.98);
    EXPECT_TRUE(rates_.own_is_astray(3));
    EXPECT_FALSE(rates_.own_is_astray(5)) << "two others may be right";
}

// Two steps would be enough, one of them each way.
TEST_F(ClockRatesTest, ADelayThatComesAndGoesIsNothing) {
    for (int span = 0; span < 6; ++span) {
        delay_ = milliseconds(200 * (span % 2));
        handle(seconds(10), 1);
    }
    EXPECT_THAT(rates_.take_news(), IsEmpty());
}

TEST_F(ClockRatesTest, AClockIsAstrayUntilAStepShowsThatItIsRight) {
    handle(seconds(35), 0.67);
    ASSERT_THAT(rates_.take_news(), SizeIs(1));
    life_ = lease::Instance{2};
    handle(seconds(25), 0.67);
    EXPECT_THAT(rates_.astray(), SizeIs(1)) << "another vpnhad on the same machine";
    handle(seconds(10), 1.33);
    EXPECT_THAT(rates_.astray(), SizeIs(1)) << "the other way";
    EXPECT_THAT(rates_.take_news(), IsEmpty());
}

TEST_F(ClockRatesTest, AFastClockIsFoundAsWell) {
    handle(seconds(35), 1.011);
    EXPECT_THAT(rates_.astray(), SizeIs(1));
}

TEST_F(ClockRatesTest, RatesWithinTheBoundAreNothing) {
    handle(seconds(60), 1.009);
    handle(seconds(60), 0.991);
    EXPECT_THAT(rates_.take_news(), IsEmpty());
}

TEST_F(ClockRatesTest, DelaysOfASecondAndAMachineThatStoodStillAreNothing) {
    for (int span = 0; span < 6; ++span) {
        handle(seconds(10), 1);
        delay_ = seconds(span % 2);
        handle(milliseconds(100), 1);
    }
    delay_ = {};
    handle(seconds(5), 1);
    now_ += seconds(4);  // It stood still, and its clock with it.
    handle(seconds(20), 1);
    EXPECT_THAT(rates_.take_news(), IsEmpty());
}

TEST_F(ClockRatesTest, StallsThatGetLongerAndLongerAreNothing) {
    for (int stall = 0; stall < 60; ++stall) {
        delay_ = {};
        handle(milliseconds(500), 1);
        delay_ = milliseconds(50 * stall);
        handle(milliseconds(500), 1);
    }
    EXPECT_THAT(rates_.take_news(), IsEmpty());
}

// Of a span that ends with a stall only the shortest delay counts.
TEST_F(ClockRatesTest, StallsAtTheEndOfEachSpanAreNothing) {
    for (int span = 0; span < 6; ++span) {
        delay_ = {};
        handle(seconds(9), 1);
        delay_ = milliseconds(200 * span);
        handle(seconds(1), 1);
    }
    EXPECT_THAT(rates_.take_news(), IsEmpty());
}

// Each of two steps in a row would be a fast clock.
TEST_F(ClockRatesTest, AnotherLifeHasAnotherClock) {
    handle(seconds(15), 1);
    for (const std::uint64_t life : {2, 3, 4}) {
        life_ = lease::Instance{life};
        sent_ += seconds(100'000);
        handle(seconds(10), 1);
    }
    handle(seconds(60), 1);
    EXPECT_THAT(rates_.take_news(), IsEmpty());
}

// A virtual machine that is put back to an earlier state.
TEST_F(ClockRatesTest, AClockThatIsPutBackBeginsAnew) {
    sent_ = TimePoint{seconds(1'000'000)};
    for (int time = 0; time < 4; ++time) {
        sent_ -= seconds(1000);
        handle(seconds(10), 1);
    }
    EXPECT_THAT(rates_.take_news(), IsEmpty());
}

// The spans of that time have no rounds, so no later round may end one of them.
TEST_F(ClockRatesTest, AfterAGapASpanBeginsWithTheNextRound) {
    handle(seconds(25), 1);
    now_ += seconds(60);
    sent_ += seconds(60);
    for (int round = 0; round < 5; ++round) {
        delay_ = milliseconds(150 * round);
        handle(milliseconds(100), 1);
    }
    EXPECT_THAT(rates_.astray(), IsEmpty());
}

TEST_F(ClockRatesTest, WhoIsNoVoterIsForgotten) {
    handle(seconds(35), 0.67);
    rates_.keep({NodeId{1}});
    EXPECT_THAT(rates_.astray(), IsEmpty());
}

}  // namespace clock_rates_test
}  // namespace vpnha::node
