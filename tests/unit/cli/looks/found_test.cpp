// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/looks/found.hpp"

#include <gmock/gmock.h>

#include <sstream>

namespace vpnha::cli::looks {
namespace found_test {

using nlohmann::json;

constexpr std::array kLevels{Level::good,    Level::note,  Level::advice,
                             Level::warning, Level::error, Level::unread};

TEST(FoundTest, EachFindingIsALine) {
    std::ostringstream out;
    std::ostringstream err;
    Found found(false, out, err);
    found.print(Level::good, kAboutFile, "/etc/x: good");
    found.print(Level::note, "clock", "one second\x1b ahead");
    found.print_all(Level::warning, "ipsec", {"a", "b"});
    found.print(Level::unread, "devices", "not root");
    found.print(Level::advice, "tuning", "set it");
    EXPECT_EQ(out.str(),
              "/etc/x: good\nclock: one second? ahead\nipsec: warning: a\nipsec: warning: b\n"
              "devices: not looked at: not root\ntuning: advice: set it\n");
    EXPECT_EQ(found.end("/etc/x"), ExitCode::ok);
    found.error("routing", {Errc::already_exists, "table 7 is taken"});
    found.error(kAboutFile, {Errc::not_found, "/etc/x: no such file"});
    found.error("voters", {Errc::invalid_config, "two"});
    EXPECT_EQ(
        err.str(),
        "vpnha: routing: table 7 is taken\nvpnha: /etc/x: no such file\nvpnha: voters: two\n");
    EXPECT_EQ(found.end("/etc/x"), ExitCode::not_found) << "the worst one";
}

TEST(FoundTest, AsJsonAllOfThemStandTogether) {
    std::ostringstream out;
    std::ostringstream err;
    Found found(true, out, err);
    for (const Level level : kLevels) {
        found.print(level, "clock", std::string(to_string(level)));
    }
    found.error("routing", {Errc::already_exists, "table 7 is taken"});
    EXPECT_EQ(out.str(), "");
    EXPECT_EQ(found.end("/etc/x"), ExitCode::failed);
    EXPECT_EQ(err.str(), "");
    const json printed = json::parse(out.str());
    EXPECT_EQ(printed.at("file"), "/etc/x");
    EXPECT_EQ(printed.at("exit_code"), 1);
    const json& findings = printed.at("findings");
    ASSERT_EQ(findings.size(), kLevels.size() + 1);
    EXPECT_EQ(findings[5],
              (json{{"about", "clock"}, {"level", "not-looked-at"}, {"text", "not-looked-at"}}));
    EXPECT_EQ(findings[6],
              (json{{"about", "routing"}, {"level", "error"}, {"text", "table 7 is taken"}}));
}

}  // namespace found_test
}  // namespace vpnha::cli::looks
