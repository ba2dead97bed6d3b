// SPDX-License-Identifier: GPL-2.0-or-later
#include "exporter/contents.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/documented.hpp"

namespace vpnha::exporter {
namespace contents_test {

using nlohmann::json;
using ::testing::HasSubstr;

struct ContentsTest : ::testing::Test {
    Reply get(std::string_view path) { return contents.reply_to("GET", path); }

    std::vector<std::string> asked;
    bool is_there = true;
    Contents::Clock::time_point now{};
    Contents contents{[this](std::string_view verb, const json&) -> Result<json> {
                          asked.emplace_back(verb);
                          return is_there ? Result<json>(documented(std::string(verb)))
                                          : fail(Errc::unreachable, "nobody <there>");
                      },
                      [this] { return now; }};
};

TEST_F(ContentsTest, MetricsAreInPrometheusFormat) {
    const Reply reply = get("/metrics");
    EXPECT_EQ(reply.status, 200U);
    EXPECT_THAT(reply.type, HasSubstr("version=0.0.4"));
    EXPECT_THAT(reply.body, HasSubstr("\nvpnha_up 1\n"));
}

TEST_F(ContentsTest, ThePageIsBelowTheRoot) {
    const Reply reply = get("/");
    EXPECT_EQ(reply.status, 200U);
    EXPECT_THAT(reply.type, HasSubstr("text/html"));
    EXPECT_THAT(reply.body, HasSubstr("<h2>Gateway dialin</h2>"));
}

TEST_F(ContentsTest, VpnhadIsAskedOnceInFiveSeconds) {
    for (int i = 0; i < 100; ++i) {
        get("/metrics");
        now += std::chrono::milliseconds(49);
    }
    EXPECT_EQ(asked, (std::vector<std::string>{"status", "gate"}));
    now += std::chrono::milliseconds(100);
    get("/metrics");
    EXPECT_EQ(asked.size(), 4U);
}

TEST_F(ContentsTest, OtherPathsAndVerbsAskNobody) {
    EXPECT_EQ(get("/status").status, 404U);
    EXPECT_EQ(get("/metrics/").status, 404U);
    EXPECT_EQ(get("").status, 404U);
    EXPECT_EQ(contents.reply_to("POST", "/metrics").status, 405U);
    EXPECT_TRUE(asked.empty());
}

TEST_F(ContentsTest, AVpnhadThatDoesNotAnswerIsAMetricAndAnErrorOfThePage) {
    is_there = false;
    EXPECT_EQ(get("/metrics").status, 200U);
    EXPECT_THAT(get("/metrics").body, HasSubstr("\nvpnha_up 0\n"));
    EXPECT_EQ(get("/").status, 503U);
    EXPECT_THAT(get("/").body, HasSubstr("nobody &lt;there&gt;"));
}

}  // namespace contents_test
}  // namespace vpnha::exporter
