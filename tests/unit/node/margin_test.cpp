// SPDX-License-Identifier: GPL-2.0-or-later
#include "keepers/margin.hpp"

#include <gtest/gtest.h>

namespace vpnha::keepers {
namespace margin_test {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr NumberUse kUse{2000, 1'000'000};
const Epoch kSaid{3, NodeId{1}};

Margin margin_of(std::optional<Duration> run_on, std::uint64_t granted = 4) {
    return {{granted, NodeId{2}}, run_on};
}

TEST(MarginTest, AfterAnExactHandoverNoNumberIsLeftOut) {
    EXPECT_EQ(margin_of(Duration{}).beyond(kSaid, kUse), 0U);
}

TEST(MarginTest, RecordsOfAKnownAgeAreOvertakenByWhatMayHaveBeenUsedSince) {
    for (const Duration age : std::vector<Duration>{microseconds(1), milliseconds(1),
                                                    milliseconds(450), hours(24 * 30)}) {
        const std::uint64_t used =
            static_cast<std::uint64_t>((age.count() + 999'999) / 1'000'000) * 2;
        EXPECT_GT(margin_of(age).beyond(kSaid, kUse), used);
        EXPECT_LE(margin_of(age).beyond(kSaid, kUse), used + 4);
    }
}

TEST(MarginTest, EachEpochOfWhichNobodyKnowsTakesAsMuchAgain) {
    const std::uint64_t one = margin_of(std::nullopt, 4).beyond(kSaid, kUse);
    EXPECT_GE(one, kUse.per_epoch);
    for (std::uint64_t epochs = 2; epochs < 10; ++epochs) {
        // The one before began there, and may have held more of the records than this node by all
        // that the first one used.
        EXPECT_GE(margin_of(std::nullopt, 3 + epochs).beyond(kSaid, kUse),
                  margin_of(std::nullopt, 2 + epochs).beyond(kSaid, kUse) + 2 * kUse.per_epoch);
    }
    EXPECT_EQ(margin_of(std::nullopt, 3).beyond(kSaid, kUse), one) << "never nothing";
}

}  // namespace margin_test
}  // namespace vpnha::keepers
