// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/watch/holder_pulse.hpp"

#include <gtest/gtest.h>

namespace vpnha::node {
namespace holder_pulse_test {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr NodeId kHolder{1};
constexpr TimePoint kPromise{seconds(1000)};
constexpr Duration kLease = milliseconds(300);

class HolderPulseTest : public ::testing::Test {
  protected:
    void SetUp() override { pulse_.follow(kHolder, kPromise, kLease); }
    // Asks whenever it wants to, until then; the holder's kernel answers at once, or never.
    void pass(TimePoint until, bool answers) {
        while (pulse_.next_deadline() && *pulse_.next_deadline() < until) {
            const TimePoint now = *pulse_.next_deadline();
            ASSERT_TRUE(pulse_.asks(now));
            if (answers) {
                pulse_.on_echo(kHolder, now);
            }
        }
    }

    HolderPulse pulse_;
};

TEST_F(HolderPulseTest, NobodyWaitsForAMachineThatAnswersNothing) {
    pass(kPromise, false);
    EXPECT_LE(pulse_.waits_until(), kPromise);
    pass(kPromise + seconds(5), false);
    EXPECT_LE(pulse_.waits_until(), kPromise);
}

TEST_F(HolderPulseTest, TheQuestionsBeginBeforeThePromiseEnds) {
    EXPECT_FALSE(pulse_.asks(kPromise - milliseconds(101)));
    EXPECT_TRUE(pulse_.asks(kPromise - milliseconds(100)));
    EXPECT_FALSE(pulse_.asks(kPromise - milliseconds(51)));
    EXPECT_TRUE(pulse_.asks(kPromise - milliseconds(50)));
}

TEST_F(HolderPulseTest, OfAShortLeaseNobodyAsksWhileRoundsArrive) {
    pulse_.follow(kHolder, kPromise + seconds(1), milliseconds(60));
    EXPECT_FALSE(pulse_.asks(kPromise + seconds(1) - milliseconds(21)));
    EXPECT_TRUE(pulse_.asks(kPromise + seconds(1) - milliseconds(20)));
}

TEST_F(HolderPulseTest, AMachineThatAnswersIsWaitedForAndNoLongerThanThat) {
    pass(kPromise + milliseconds(300), true);
    EXPECT_GT(pulse_.waits_until(), kPromise + milliseconds(300));
    pass(kPromise + seconds(5), true);
    EXPECT_EQ(pulse_.waits_until(), kPromise + milliseconds(750));
    EXPECT_FALSE(pulse_.next_deadline()) << "nothing is asked for ever";
}

TEST_F(HolderPulseTest, WhoseAnswersStopIsNotWaitedForAnyMore) {
    pass(kPromise + milliseconds(300), true);
    pass(kPromise + seconds(1), false);
    EXPECT_GT(pulse_.waits_until(), kPromise + milliseconds(300));
    EXPECT_LE(pulse_.waits_until(), kPromise + milliseconds(500));
}

TEST_F(HolderPulseTest, ANodeThatStoodStillAsksBeforeItStandsIn) {
    const TimePoint late = kPromise + seconds(2);
    pulse_.forget();
    pulse_.follow(kHolder, late - milliseconds(500), kLease);
    ASSERT_TRUE(pulse_.asks(late));
    EXPECT_EQ(pulse_.waits_until(), late + milliseconds(25));
}

TEST_F(HolderPulseTest, AnotherHoldersAnswerIsNothing) {
    ASSERT_TRUE(pulse_.asks(kPromise));
    pulse_.on_echo(NodeId{2}, kPromise);
    EXPECT_EQ(pulse_.waits_until(), kPromise + milliseconds(25));
    pulse_.on_echo(kHolder, kPromise);
    pulse_.follow(NodeId{2}, kPromise, kLease);
    EXPECT_EQ(pulse_.waits_until(), TimePoint{}) << "what the one before answered";
}

TEST_F(HolderPulseTest, ARoundThatIsReceivedBeginsAnew) {
    pass(kPromise, true);
    pulse_.follow(kHolder, kPromise + milliseconds(300), kLease);
    EXPECT_FALSE(pulse_.asks(kPromise + milliseconds(199)));
    EXPECT_TRUE(pulse_.asks(kPromise + milliseconds(200)));
}

}  // namespace holder_pulse_test
}  // namespace vpnha::node
