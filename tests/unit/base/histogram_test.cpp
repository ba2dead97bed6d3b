// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/histogram.hpp"

#include <gmock/gmock.h>

namespace vpnha {
namespace histogram_test {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using ::testing::ElementsAre;

constexpr std::array<Duration, 2> kBounds{milliseconds(1), milliseconds(5)};

TEST(HistogramTest, AMeasureThatEqualsABoundCountsBelowIt) {
    Histogram<2> histogram(kBounds);
    for (const Duration measure : {Duration{}, Duration(milliseconds(1)),
                                   Duration(microseconds(1001)), Duration(milliseconds(6))}) {
        histogram.note(measure);
    }
    EXPECT_THAT(histogram.counts(), ElementsAre(2, 1, 1));
    EXPECT_EQ(histogram.sum(), Duration(microseconds(8001)));
}

}  // namespace histogram_test
}  // namespace vpnha
