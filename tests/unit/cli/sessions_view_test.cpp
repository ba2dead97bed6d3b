// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/sessions_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/cli/sample.hpp"

namespace vpnha::cli {
namespace sessions_view_test {

// Ten minutes and two seconds after the sample's sessions.
constexpr std::int64_t kNow = 1'767'225'600 + 602;

nlohmann::json sessions_without_reasons() {
    nlohmann::json result = sample_sessions();
    for (nlohmann::json& session : result["sessions"]) {
        session.erase("reason");
    }
    return result;
}

TEST(SessionsViewTest, ShowsTheDefaultColumns) {
    const nlohmann::json result = sessions_without_reasons();
    EXPECT_EQ(render_sessions(select_sessions(result, {}, kNow), default_session_columns(result),
                              kNow, false),
              "ID            GATEWAY  USER   PEER                 ADDRESS      "
              "INTERFACE  STATE        IDS      AGE\n"
              "23456789abcd  dialin   alice  192.0.2.51:1701      10.200.1.10  "
              "ppp0       protected    1/2 3/4  10m 2s\n"
              "0123456789ab  dialin   bob    192.0.2.52:1701      10.200.1.11  "
              "ppp1       unprotected  5/6 7/8  10m 2s\n"
              "123456789abc  dialin   carol  [2001:db8::51]:4500  10.200.2.10  "
              "           protected    -        10m 2s\n");
}

TEST(SessionsViewTest, ASessionOfAnotherProtocolHasNoIds) {
    nlohmann::json result = sample_sessions();
    for (const char* member : {"tunnel", "peer_tunnel", "session", "peer_session"}) {
        result["sessions"][0].erase(member);
    }
    EXPECT_EQ(render_sessions(result, {"user", "ids"}, kNow, false),
              "USER   IDS\n"
              "bob    -\n"
              "carol  -\n"
              "alice  1/2 3/4\n");
}

TEST(SessionsViewTest, ShowsTheNetworksOfAClient) {
    nlohmann::json result = sample_sessions();
    result["sessions"][0]["networks"] = {"fe80::2a", "2001:db8:51::/64"};
    EXPECT_EQ(render_sessions(result, {"user", "networks"}, kNow, false),
              "USER   NETWORKS\n"
              "bob    fe80::2a 2001:db8:51::/64\n"
              "carol  -\n"
              "alice  -\n");
}

TEST(SessionsViewTest, ShowsTheRateOfASession) {
    EXPECT_EQ(render_sessions(sample_sessions(), {"user", "bandwidth"}, kNow, false),
              "USER   BANDWIDTH\n"
              "bob    1M/0\n"
              "carol  -\n"
              "alice  20M/5M\n");
}

TEST(SessionsViewTest, ShowsTheIdsOfAPptpCall) {
    nlohmann::json result = sample_sessions();
    for (const char* member : {"tunnel", "peer_tunnel", "session", "peer_session"}) {
        result["sessions"][0].erase(member);
    }
    result["sessions"][0]["call"] = 136;
    result["sessions"][0]["peer_call"] = 0;
    EXPECT_EQ(render_sessions(result, {"user", "ids"}, kNow, false),
              "USER   IDS\n"
              "bob    136/0\n"
              "carol  -\n"
              "alice  1/2 3/4\n");
}

TEST(SessionsViewTest, ShowsTheColumnsThatAreAskedFor) {
    const auto columns = parse_columns("user,owner,epoch,protocol,established");
    ASSERT_TRUE(columns.has_value());
    EXPECT_EQ(render_sessions(select_sessions(sample_sessions(), {}, kNow), *columns, kNow, false),
              "USER   OWNER  EPOCH  PROTOCOL  ESTABLISHED\n"
              "alice  1      3.1    l2tp      2026-01-01T00:00:00Z\n"
              "bob    1      3.1    l2tp      2026-01-01T00:00:00Z\n"
              "carol  1      3.1    ikev2     2026-01-01T00:00:00Z\n");
}

TEST(SessionsViewTest, ReportsWhyASessionIsNotProtectedWhenOneIsNot) {
    EXPECT_THAT(default_session_columns(sessions_without_reasons()),
                testing::Not(testing::Contains("reason")));
    const nlohmann::json result = sample_sessions();
    EXPECT_THAT(default_session_columns(result), testing::Contains("reason"));
    EXPECT_EQ(render_sessions(result, {"user", "state", "reason"}, kNow, false),
              "USER   STATE        REASON\n"
              "bob    unprotected  no standby has confirmed it\n"
              "carol  protected    -\n"
              "alice  protected    -\n");
}

TEST(SessionsViewTest, EveryColumnCanBeShown) {
    const std::string text = render_sessions(sample_sessions(), session_columns(), kNow, false);
    EXPECT_THAT(text, testing::HasSubstr("OWNER"));
}

TEST(SessionsViewTest, UnknownColumnsAreAUsageError) {
    for (const char* text : {"nothing", "user,", ",user", "user,,peer", ""}) {
        const auto columns = parse_columns(text);
        ASSERT_FALSE(columns.has_value()) << text;
        EXPECT_EQ(columns.error().code, Errc::invalid_argument);
    }
}

TEST(AgeTest, IsReadAtAGlance) {
    EXPECT_EQ(age_text(-3), "0s");
    EXPECT_EQ(age_text(59), "59s");
    EXPECT_EQ(age_text(12 * 60 + 3), "12m 3s");
    EXPECT_EQ(age_text(3 * 3600 + 20 * 60), "3h 20m");
    EXPECT_EQ(age_text(2 * 86'400 + 4 * 3600), "2d 4h");
}

TEST(TimestampTest, IsUtc) {
    EXPECT_EQ(unix_seconds("2026-01-01T00:00:00Z"), 1'767'225'600);
    EXPECT_EQ(unix_seconds("2026-01-01T00:00:00.123Z"), 1'767'225'600);
    EXPECT_EQ(unix_seconds("2026-01-01T00:00:00"), -1);
    EXPECT_EQ(unix_seconds("yesterday"), -1);
    EXPECT_EQ(unix_seconds(""), -1);
}

std::string users(const SessionsOrder& order, const nlohmann::json& result = sample_sessions()) {
    std::string names;
    const nlohmann::json selected = select_sessions(result, order, kNow);
    for (const nlohmann::json& session : selected["sessions"]) {
        names += (names.empty() ? "" : " ") + session["user"].get<std::string>();
    }
    return names;
}

TEST(SessionsViewTest, AreSortedByWhatTheOperatorWants) {
    EXPECT_EQ(users({}), "alice bob carol");
    EXPECT_EQ(users({.sort = "protocol,address"}), "carol alice bob");
    nlohmann::json result = sample_sessions();
    result["sessions"][0]["address"] = "10.200.1.9";
    EXPECT_EQ(users({.sort = "address"}, result), "bob alice carol") << "9 comes before 10";
    result["sessions"][1]["established"] = "2025-12-31T00:00:00Z";
    result["sessions"][2]["established"] = "2026-01-01T00:10:00Z";
    EXPECT_EQ(users({.sort = "age"}, result), "alice bob carol") << "the youngest one first";
}

TEST(SessionsViewTest, OnlyThoseThatMatchAreShown) {
    EXPECT_EQ(users({.where = {"user=*o*"}}), "bob carol");
    EXPECT_EQ(users({.where = {"user=*o*", "protocol=l2tp"}}), "bob");
    EXPECT_EQ(users({.where = {"state=unprotected"}}), "bob");
    EXPECT_EQ(users({.where = {"user="}}), "");
}

TEST(SessionsViewTest, WhatIsNoColumnIsRefused) {
    EXPECT_TRUE(check({.columns = "id", .sort = "age", .where = {"user=a=b"}}));
    for (const SessionsOrder& order :
         {SessionsOrder{.columns = "x"}, SessionsOrder{.sort = "x"},
          SessionsOrder{.where = {"x=1"}}, SessionsOrder{.where = {"user"}}}) {
        const Result<void> checked = check(order);
        ASSERT_FALSE(checked);
        EXPECT_EQ(checked.error().code, Errc::invalid_argument);
    }
}

}  // namespace sessions_view_test
}  // namespace vpnha::cli
