// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/page/phases.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/pacemaker/cib.hpp"
#include "unit/cli/sample.hpp"

namespace vpnha::cli::page {
namespace phases_test {

using nlohmann::json;

struct Drawn {
    double begin;
    double width;
};

// The bars, in their order.
std::vector<Drawn> bars_in(const std::string& svg) {
    const auto elements = adapters::elements_of(svg);
    EXPECT_TRUE(elements) << svg;
    std::vector<Drawn> bars;
    for (const auto& element : *elements) {
        if (element.starts("rect")) {
            bars.push_back(
                {std::stod(element.attribute("x")), std::stod(element.attribute("width"))});
        }
    }
    return bars;
}

double opened_in(const std::string& svg) {
    return std::stod(svg.substr(svg.find("class=\"fault\" d=\"M") + 18));
}

TEST(PhasesTest, TheSilenceEndsWhereTheGateOpens) {
    const std::string svg = drawing_of(sample_status()["gateways"][0]["last_takeover"]);
    const std::vector<Drawn> bars = bars_in(svg);
    ASSERT_EQ(bars.size(), 9U);
    EXPECT_NEAR(bars[0].begin + bars[0].width, opened_in(svg), 0.2);
    // open_gate is the fifth phase, behind the silence.
    EXPECT_NEAR(bars[5].begin + 1, opened_in(svg), 1.2);
    // 331.5 ms of 331.5 + 988 on 830 pixels.
    EXPECT_NEAR(bars[0].width, 331.5 * 830 / 1319.0, 0.5);
    for (std::size_t i = 2; i < bars.size(); ++i) {
        EXPECT_GE(bars[i].begin, bars[i - 1].begin);
    }
}

TEST(PhasesTest, WhoStandsInClaimsBehindTheGate) {
    const json takeover{
        {"silence_ms", nullptr},
        {"phases_ms", {{"grant", 5.0}, {"open_gate", 1.0}, {"await_group", 40.0}, {"claim", 7.0}}}};
    const std::string svg = drawing_of(takeover);
    const std::vector<Drawn> bars = bars_in(svg);
    ASSERT_EQ(bars.size(), 4U);
    EXPECT_NEAR(bars[1].begin + bars[1].width, opened_in(svg), 0.2);
    EXPECT_GT(bars[3].begin, bars[2].begin);
}

TEST(PhasesTest, EachPhaseOfTheProtocolIsDrawn) {
    const json takeover = sample_status()["gateways"][0]["last_takeover"];
    const std::string svg = drawing_of(takeover);
    for (const auto& [phase, took] : takeover["phases_ms"].items()) {
        EXPECT_NE(svg.find(">" + phase + "<"), std::string::npos);
    }
}

}  // namespace phases_test
}  // namespace vpnha::cli::page
