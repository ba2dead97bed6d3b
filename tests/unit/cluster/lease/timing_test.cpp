// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/lease/timing.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <tuple>

namespace vpnha::lease {
namespace timing_test {

using std::chrono::milliseconds;

TEST(TimingTest, TheDefaultsAreValid) {
    const Timing timing;
    EXPECT_TRUE(timing.validate().has_value());
    EXPECT_EQ(timing.promise(timing.lease), milliseconds(313));
    EXPECT_EQ(timing.abstention(), milliseconds(515));
}

TEST(TimingTest, AnotherLeaseHasRenewalsAndQuestionsToMatch) {
    for (const auto& [lease, renew, ask] :
         {std::tuple(300, 75, 25), std::tuple(500, 125, 25), std::tuple(60, 15, 10)}) {
        const Timing sized = Timing{}.sized(milliseconds(lease));
        EXPECT_TRUE(sized.validate().has_value());
        EXPECT_EQ(sized.renew, milliseconds(renew));
        EXPECT_EQ(sized.ask, milliseconds(ask));
        EXPECT_LT(sized.punctual, sized.ask);
    }
}

TEST(TimingTest, RefusesWhatIsNotSafeOrOfNoUse) {
    struct Case {
        const char* why;
        std::function<void(Timing&)> change;
    };
    for (const Case& c : {
             Case{"a lease of 501 ms", [](Timing& t) { t.lease = milliseconds(501); }},
             Case{"a lease of 49 ms", [](Timing& t) { t.lease = milliseconds(49); }},
             Case{"every 150 ms", [](Timing& t) { t.renew = milliseconds(150); }},
             Case{"every 37 ms", [](Timing& t) { t.renew = milliseconds(37); }},
             Case{"bound of -1", [](Timing& t) { t.rate_ppm = -1; }},
             Case{"bound of 1000001", [](Timing& t) { t.rate_ppm = 1'000'001; }},
             Case{"grain of 9 ms", [](Timing& t) { t.grain = milliseconds(9); }},
             Case{"hand over", [](Timing& t) { t.draining = Duration(0); }},
             Case{"miss a holder", [](Timing& t) { t.absence = Duration(0); }},
         }) {
        Timing timing;
        c.change(timing);
        const Result<void> valid = timing.validate();
        ASSERT_FALSE(valid.has_value()) << c.why;
        EXPECT_EQ(valid.error().code, Errc::invalid_config);
        EXPECT_NE(valid.error().detail.find(c.why), std::string::npos) << valid.error().detail;
    }
}

TEST(TimingTest, TheRateBoundCoversTwoClocksSlewedApart) {
    EXPECT_EQ(rate_ppm_for(0), 0);
    EXPECT_EQ(rate_ppm_for(4'975), 10'000);
    EXPECT_EQ(rate_ppm_for(83'333), 181'818);
    EXPECT_EQ(slew_ppm_for(10'000), 4'975);
    EXPECT_EQ(slew_ppm_for(200'000), 90'909);
}

}  // namespace timing_test
}  // namespace vpnha::lease
