// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/drill/page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/pacemaker/cib.hpp"
#include "unit/cli/drill/sample_record.hpp"

namespace vpnha::cli::drill {
namespace page_test {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Of the first element of that name and class.
std::string attribute_of(const std::string& svg, std::string_view name, std::string_view css,
                         std::string_view attribute) {
    const auto elements = adapters::elements_of(svg);
    EXPECT_TRUE(elements) << (elements ? "" : elements.error().detail);
    for (const auto& element : *elements) {
        if (element.starts(name) && element.attribute("class") == css) {
            return element.attribute(attribute);
        }
    }
    return "none";
}

TEST(PageTest, TheTimelineIsXmlAndDrawsTheSilenceBehindTheFault) {
    const std::string svg = timeline_of(sample_record());
    const double fault = std::strtod(attribute_of(svg, "path", "fault", "d").c_str() + 1, nullptr);
    const double silence = std::strtod(attribute_of(svg, "rect", "gap", "x").c_str(), nullptr);
    const double width = std::strtod(attribute_of(svg, "rect", "gap", "width").c_str(), nullptr);
    // 6.3 s on 932 pixels; the silence begins 10 ms after the fault and lasts 301.
    EXPECT_NEAR(silence - fault, 10.0 * 932 / 6311, 0.2);
    EXPECT_NEAR(width, 301.0 * 932 / 6311, 0.2);
    EXPECT_THAT(svg, AllOf(HasSubstr("silence 301 ms"), HasSubstr("+0.31 s gate opened")));
}

TEST(PageTest, EachNodeHasALaneOnce) {
    const std::string svg = timeline_of(sample_record());
    for (const char* node : {">gw1</text>", ">gw2</text>"}) {
        const std::size_t first = svg.find(node);
        ASSERT_NE(first, std::string::npos);
        EXPECT_EQ(svg.find(node, first + 1), std::string::npos);
    }
}

TEST(PageTest, ALongTextOfTheTimelineIsCutBetweenCharacters) {
    std::string words;
    for (int i = 0; i < 400; ++i) {
        words += "\u00e9";
    }
    for (const char* const before : {"", "x"}) {
        Record record = sample_record();
        record.moments[0].text = before + words;
        const std::string svg = timeline_of(record);
        EXPECT_TRUE(adapters::elements_of(svg)) << "UTF-8";
        EXPECT_THAT(svg, AllOf(HasSubstr("\u00e9\u2026</text>"), Not(HasSubstr(words))));
        EXPECT_THAT(page_of(record), HasSubstr(words)) << "the table has all of it";
    }
}

TEST(PageTest, NothingOfThePageIsLoadedOrTakenForMarkup) {
    const std::string page = page_of(sample_record());
    EXPECT_THAT(page, AllOf(HasSubstr("Drill node-power of gateway dialin"),
                            HasSubstr("gate opened &lt;&amp;&gt;"), HasSubstr("verdict good"),
                            Not(HasSubstr("http")), Not(HasSubstr("<script"))));
}

TEST(PageTest, ADrillWithoutAnythingIsDrawn) {
    Record record{.kind = Kind::daemon, .gateway = "dialin", .node = "gw1", .from = "gw1"};
    record.begun_ms = 1'764'000'000'000;
    EXPECT_TRUE(adapters::elements_of(timeline_of(record)));
    EXPECT_THAT(page_of(record), Not(HasSubstr("verdict good")));
}

}  // namespace page_test
}  // namespace vpnha::cli::drill
