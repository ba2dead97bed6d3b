// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/margin.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace vpnha::keepers {
namespace margin_test {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr NumberUse kUse{2000, 1'000'000};
const Emitted kEmitted{{3, NodeId{1}}, 5, 3};

Margin margin_of(std::optional<Duration> run_on, std::uint64_t granted = 4) {
    return {{granted, NodeId{2}}, run_on};
}

TEST(MarginTest, AfterAnExactHandoverNoNumberIsLeftOut) {
    EXPECT_EQ(margin_of(Duration{}).beyond(kEmitted, kUse), 0U);
}

TEST(MarginTest, RecordsOfAKnownAgeAreOvertakenByWhatMayHaveBeenUsedSince) {
    for (const Duration age : std::vector<Duration>{microseconds(1), milliseconds(1),
                                                    milliseconds(450), hours(24 * 30)}) {
        const std::uint64_t used =
            static_cast<std::uint64_t>((age.count() + 999'999) / 1'000'000) * 2;
        EXPECT_GT(margin_of(age).beyond(kEmitted, kUse), used);
        EXPECT_LE(margin_of(age).beyond(kEmitted, kUse), used + 4);
    }
}

TEST(MarginTest, EachEpochOfWhichNobodyKnowsTakesAsMuchAgain) {
    const std::uint64_t one = margin_of(std::nullopt, 4).beyond(kEmitted, kUse);
    EXPECT_GE(one, kUse.per_epoch);
    for (std::uint64_t epochs = 2; epochs < 10; ++epochs) {
        // The one before began there, and may have held more of the records than this node by all
        // that the first one used.
        EXPECT_GE(margin_of(std::nullopt, 3 + epochs).beyond(kEmitted, kUse),
                  margin_of(std::nullopt, 2 + epochs).beyond(kEmitted, kUse) + 2 * kUse.per_epoch);
    }
    EXPECT_EQ(margin_of(std::nullopt, 3).beyond(kEmitted, kUse), one) << "never nothing";
}

// Each epoch continues from the last record of the one before, which is exact, or begins beyond a
// record that any one before has said, at its beginning or at its end. While all of them together
// use less than an epoch may, none begins among numbers that another one used.
TEST(MarginTest, WhoeverKnowsOfWhichEpochsNoNumberIsUsedTwice) {
    constexpr std::size_t kEpochs = 4;
    constexpr std::uint64_t kUsed = kUse.per_epoch / (kEpochs + 1);
    constexpr std::uint64_t kBorn = 7;
    struct Used {
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
    };
    const std::function<void(const std::vector<Used>&)> proceed =
        [&](const std::vector<Used>& all) {
            const std::uint64_t granted = all.size();
            if (granted > kEpochs) {
                return;
            }
            const auto begin_at = [&](std::uint64_t begin, std::size_t emitted) {
                for (const Used& each : all) {
                    ASSERT_GE(begin, each.end) << "epoch " << granted << " of " << emitted;
                }
                for (const std::uint64_t used : {std::uint64_t{0}, kUsed}) {
                    std::vector<Used> more = all;
                    more.push_back({begin, begin + used});
                    proceed(more);
                }
            };
            begin_at(all.back().end, granted - 1);
            for (std::size_t emitted = 0; emitted < granted; ++emitted) {
                for (const std::uint64_t number : {all[emitted].begin, all[emitted].end}) {
                    const Emitted record{{kBorn + emitted, NodeId{1}}, number, kBorn};
                    begin_at(number + margin_of(std::nullopt, kBorn + granted).beyond(record, kUse),
                             emitted);
                }
            }
        };
    proceed({Used{0, kUsed}});
}

}  // namespace margin_test
}  // namespace vpnha::keepers
