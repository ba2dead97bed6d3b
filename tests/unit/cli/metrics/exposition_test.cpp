// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/metrics/exposition.hpp"

#include <gtest/gtest.h>

namespace vpnha::cli {
namespace exposition_test {

TEST(ExpositionTest, HasHelpTypeAndOneLineForEachSample) {
    EXPECT_EQ(exposition("vpnha_x_total", MetricType::counter, "Of x.",
                         {{{}, 3}, {{{"gateway", "dialin"}, {"side", "in"}}, 0.271}}),
              "# HELP vpnha_x_total Of x.\n"
              "# TYPE vpnha_x_total counter\n"
              "vpnha_x_total 3\n"
              "vpnha_x_total{gateway=\"dialin\",side=\"in\"} 0.271\n");
}

TEST(ExpositionTest, LargeNumbersAreExact) {
    EXPECT_EQ(exposition("x", MetricType::gauge, "X.",
                         {{{}, 125829120}, {{}, 9007199254740991}, {{}, -1.5}}),
              "# HELP x X.\n# TYPE x gauge\nx 125829120\nx 9007199254740991\nx -1.5\n");
}

TEST(ExpositionTest, EscapesWhatWouldEndALabelOrALine) {
    EXPECT_EQ(exposition("x", MetricType::gauge, "A \"b\" \\ c\nd.", {{{{"l", "a\"b\\c\nd}"}}, 1}}),
              "# HELP x A \"b\" \\\\ c\\nd.\n# TYPE x gauge\nx{l=\"a\\\"b\\\\c\\nd}\"} 1\n");
}

TEST(ExpositionTest, AMetricWithoutSamplesIsNotNamed) {
    EXPECT_EQ(exposition("x", MetricType::gauge, "X.", {}), "");
}

}  // namespace exposition_test
}  // namespace vpnha::cli
