// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/page/page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "host/pacemaker/cib.hpp"
#include "support/contents_of.hpp"
#include "support/temporary_path.hpp"
#include "unit/cli/sample.hpp"

namespace vpnha::cli::page {
namespace page_test {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint64_t kNowUs = 1'767'225'661'500'000;  // A minute after the sample's promotion.

std::string page(const json& status = sample_status(), const json& sessions = sample_sessions()) {
    return page_of({status, sessions}, kNowUs);
}

// HTML that is XML, too, except its doctype and the two tags that have no end.
void expect_well_formed(std::string html) {
    html.erase(0, html.find("<html"));
    while (html.find("<meta") != std::string::npos) {
        html.erase(html.find("<meta"), html.find('>', html.find("<meta")) - html.find("<meta") + 1);
    }
    const auto elements = adapters::elements_of(html);
    EXPECT_TRUE(elements) << elements.error().detail;
}

TEST(ClusterPageTest, ShowsWhoServesSinceWhenAndWhoCouldTakeOver) {
    const std::string html = page();
    expect_well_formed(html);
    EXPECT_THAT(html, AllOf(HasSubstr("<h2>Gateway dialin</h2>"),
                            HasSubstr("<td>served by</td><td>gw1 (1)</td>"),
                            HasSubstr("promoted since 2026-01-01T00:00:01Z (1m 0s)"),
                            HasSubstr("<td>could take over</td><td>gw2 (2), gw3 (3)</td>"),
                            HasSubstr("<td>lag</td><td>1.5 ms</td>")));
    EXPECT_THAT(html, AllOf(HasSubstr("latest round of the day 30.0 ms late, 200.0 ms allowed"),
                            HasSubstr("Last takeover by this node"), HasSubstr("331.5 ms")));
}

TEST(ClusterPageTest, ShowsOverWhichNodesAGatewayHasGone) {
    EXPECT_THAT(page(), HasSubstr("<h3>Who has served</h3>"));
    EXPECT_THAT(page(), HasSubstr("<tr><td>gw1 (1)</td><td>since 2026-01-01T00:00:00Z (1m 1s)</td>"
                                  "<td>3.1</td></tr>\n<tr><td>gw2 (2)</td><td>since "
                                  "2025-12-31T00:00:00Z (1d 0h)</td><td>2.2</td></tr>"));
    json status = sample_status();
    status["gateways"][0]["holders"].erase(0);
    EXPECT_THAT(page(status), Not(HasSubstr("Who has served"))) << "the first one serves still";
}

TEST(ClusterPageTest, CountsSessionsByProtocolAndProtection) {
    const std::string html = page();
    EXPECT_THAT(html, HasSubstr("<tr><td>dialin</td><td>ikev2</td><td>1</td><td>0</td><td>0</td>"
                                "<td>0</td><td>0</td></tr>"));
    EXPECT_THAT(html, HasSubstr("<tr><td>dialin</td><td>l2tp</td><td>1</td><td>0</td><td>0</td>"
                                "<td>1</td><td>0</td></tr>"));
    EXPECT_THAT(html, HasSubstr("<td>no standby has confirmed it</td>"));
}

TEST(ClusterPageTest, NamesNoUserAndNoClient) {
    const std::string html = page();
    for (const json& session : sample_sessions().at("sessions")) {
        for (const char* member : {"user", "peer", "address"}) {
            EXPECT_THAT(html, Not(HasSubstr(session.at(member).get<std::string>())));
        }
    }
}

TEST(ClusterPageTest, HostileNamesAreTexts) {
    const std::string hostile = "</td><script src='//x'>alert(1)</script>&\"";
    json status = sample_status();
    status["node"]["name"] = hostile;
    status["members"][1]["name"] = hostile;
    status["version"] = hostile;
    status["gateways"][0]["name"] = hostile;
    status["gateways"][0]["blockers"] = json::array({hostile});
    status["gateways"][0]["links"]["outside"] = hostile;
    json sessions = sample_sessions();
    for (json& session : sessions["sessions"]) {
        for (const char* member : {"id", "gateway", "protocol", "state", "reason"}) {
            session[member] = hostile;
        }
    }
    const std::string html = page(status, sessions);
    expect_well_formed(html);
    EXPECT_THAT(html, AllOf(HasSubstr("&lt;script"), Not(HasSubstr("<script"))));
}

TEST(ClusterPageTest, IsOneFileWithoutScriptOrNetwork) {
    for (const std::string& html : {page(), ask_page(
                                                [](auto, const auto&) -> Result<json> {
                                                    return fail(Errc::unreachable,
                                                                "no vpnhad <here>");
                                                },
                                                fail(Errc::permission, ""))
                                                .text}) {
        expect_well_formed(html);
        EXPECT_TRUE(html.starts_with("<!DOCTYPE html>"));
        for (const char* const loaded : {"<script", "http:", "https:", "src=", "href=", "url(",
                                         "@import", "<link", "onload"}) {
            EXPECT_THAT(html, Not(HasSubstr(loaded)));
        }
    }
}

TEST(ClusterPageTest, AFindingIsTheVerdict) {
    EXPECT_THAT(page(), HasSubstr("<ul class=\"verdict good\">"));
    json status = sample_status();
    status["quorate"] = false;
    EXPECT_THAT(page(status), AllOf(HasSubstr("<ul class=\"verdict\">"), HasSubstr("quorum")));
}

TEST(ClusterPageTest, ListsNoMoreThanFiftyLostSessions) {
    json sessions = sample_sessions();
    const json lost = sessions["sessions"][0];
    sessions["sessions"] = json::array();
    for (int i = 0; i < 53; ++i) {
        sessions["sessions"].push_back(lost);
    }
    EXPECT_THAT(page(sample_status(), sessions), HasSubstr("And 3 more."));
}

TEST(ClusterPageTest, WhatVpnhadDoesNotAnswerIsOnThePageAndInTheExitCode) {
    std::ostringstream out;
    std::ostringstream err;
    const std::string file = temporary_path("page.html");
    const Ask dead = [](auto, const auto&) -> Result<json> {
        return fail(Errc::unreachable, "no vpnhad <here>");
    };
    EXPECT_EQ(write_page({file}, {dead, out, err}), ExitCode::unreachable);
    EXPECT_THAT(contents_of(file), HasSubstr("<li>no vpnhad &lt;here&gt;</li>"));
    EXPECT_THAT(err.str(), HasSubstr("no vpnhad <here>"));
    EXPECT_EQ(write_page({"/nonexistent/page.html"}, {dead, out, err}), ExitCode::failed);
    EXPECT_EQ(
        write_page({}, {[](auto, const auto&) -> Result<json> { return json::array(); }, out, err}),
        ExitCode::failed);
    EXPECT_THAT(out.str(), HasSubstr("of another version than this program"));
}

}  // namespace page_test
}  // namespace vpnha::cli::page
