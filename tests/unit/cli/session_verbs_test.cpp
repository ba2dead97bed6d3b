// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/session_verbs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "unit/cli/sample.hpp"

namespace vpnha::cli {
namespace session_verbs_test {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// A vpnhad with alice's session, which goes after it was looked at so often.
class SessionEndTest : public ::testing::Test {
  protected:
    ExitCode run(const std::string& id, int looks) {
        return end_session(
            id, {[&](std::string_view verb, const json& arguments) -> Result<json> {
                     if (verb == "session_end") {
                         asked_ = arguments.at("id");
                         return refusal_;
                     }
                     json sessions = json::array();
                     if (looks-- > 0) {
                         sessions.push_back({{"id", "0123456789ab"},
                                             {"protocol", "l2tp"},
                                             {"user", "alice"},
                                             {"peer", "192.0.2.51:1701"}});
                     }
                     return json{{"sessions", sessions}};
                 },
                 out_, err_, [this](std::chrono::milliseconds time) { paused_ += time; }});
    }

    Result<json> refusal_ = json::object();
    std::string asked_;
    std::ostringstream out_;
    std::ostringstream err_;
    std::chrono::milliseconds paused_{};
};

TEST_F(SessionEndTest, WaitsUntilItIsGone) {
    EXPECT_EQ(run("0123", 3), ExitCode::ok) << err_.str();
    EXPECT_EQ(asked_, "0123");
    EXPECT_EQ(out_.str(), "ended: l2tp of alice at 192.0.2.51:1701\n");
    EXPECT_EQ(paused_, std::chrono::milliseconds(400));
}

TEST_F(SessionEndTest, OneThatStaysIsAnError) {
    EXPECT_EQ(run("0123", 1000), ExitCode::unreachable);
    EXPECT_THAT(err_.str(), HasSubstr("is still there after 15 s"));
}

TEST_F(SessionEndTest, ARefusalEndsIt) {
    refusal_ = fail(Errc::busy, "gw2 is promoted for gateway dialin: ask there");
    EXPECT_EQ(run("0123", 1000), ExitCode::failed);
    EXPECT_THAT(err_.str(), HasSubstr("ask there"));
    refusal_ = fail(Errc::not_found, "this node knows no session 'ffff'");
    EXPECT_EQ(run("ffff", 1000), ExitCode::not_found);
}

// vpnhad with the sessions of the sample, and two events.
class SessionShowTest : public ::testing::Test {
  protected:
    using Readings = Result<std::optional<session::Reading>>;

    ExitCode run(const SessionOrder& order) {
        out_.str("");
        return show_session(
            order,
            {[&](std::string_view verb, const json& arguments) -> Result<json> {
                 if (verb == "sessions") {
                     return sample_sessions();
                 }
                 if (verb == "status") {
                     return sample_status();
                 }
                 if (arguments.at("after") != 0) {
                     return json{{"instance", "1"}, {"events", json::array()}};
                 }
                 const auto event = [](int sequence, const char* session) {
                     return json{{"sequence", sequence},
                                 {"time", "2026-01-01T00:00:00Z"},
                                 {"level", "info"},
                                 {"event", "session-up"},
                                 {"fields", {{"session", session}}},
                                 {"text", std::string("session up of ") + session}};
                 };
                 return json{{"instance", "1"},
                             {"events", {event(1, "0123456789ab"), event(2, "other")}}};
             },
             out_, err_, [this](std::chrono::milliseconds time) { paused_ += time; }},
            [this](const json&) { return readings_ ? Readings(read()) : refusal_; });
    }
    session::Reading read() {
        return {{.octets_in = 500 * readings_++}, static_cast<double>(readings_)};
    }

    std::uint64_t readings_ = 1;  // 0: there are none.
    Readings refusal_ = std::nullopt;
    std::chrono::milliseconds paused_{};
    std::ostringstream out_;
    std::ostringstream err_;
};

TEST_F(SessionShowTest, HasAllColumnsAndWhatTheLogHas) {
    EXPECT_EQ(run({.id = "0123"}), ExitCode::ok) << err_.str();
    EXPECT_THAT(out_.str(),
                AllOf(HasSubstr("id           0123456789ab\n"), HasSubstr("protocol     l2tp\n"),
                      HasSubstr("reason       no standby has confirmed it\n"),
                      HasSubstr("\n\n2026-01-01T00:00:00Z info: session up of 0123"),
                      Not(HasSubstr("other")), Not(HasSubstr("networks"))));
    EXPECT_EQ(run({.id = "0123", .as_json = true}), ExitCode::ok);
    EXPECT_EQ(json::parse(out_.str()).at("user"), "bob");
}

TEST_F(SessionShowTest, HasWhatPassesAndWhoHasServedIt) {
    EXPECT_EQ(run({.id = "0123"}), ExitCode::ok) << err_.str();
    EXPECT_EQ(paused_, std::chrono::seconds(1));
    EXPECT_THAT(out_.str(),
                AllOf(HasSubstr("received     1000 octets in 0 packets; now 4.0 kbit/s"),
                      HasSubstr("served by    gw2 (2) since 2025-12-31T00:00:00Z\n")));
    EXPECT_EQ(run({.id = "0123", .as_json = true}), ExitCode::ok);
    const json shown = json::parse(out_.str());
    EXPECT_EQ(shown.at("traffic").at("bits_in_per_s"), 4000.0);
    EXPECT_EQ(shown.at("served_by").back().at("node"), 1);
}

TEST_F(SessionShowTest, WithoutCountersTheRestIsShown) {
    readings_ = 0;
    EXPECT_EQ(run({.id = "0123"}), ExitCode::ok);
    EXPECT_EQ(paused_, std::chrono::seconds(0));
    EXPECT_THAT(out_.str(), AllOf(HasSubstr("served by"), Not(HasSubstr("received"))));
    refusal_ = fail(Errc::permission, "netlink: permission denied");
    EXPECT_EQ(run({.id = "0123"}), ExitCode::ok);
    EXPECT_THAT(out_.str(), HasSubstr("traffic      not looked at: netlink: permission denied\n"));
    EXPECT_EQ(run({.id = "0123", .as_json = true}), ExitCode::ok);
    EXPECT_TRUE(json::parse(out_.str()).at("traffic").is_null());
}

TEST_F(SessionShowTest, AnIdMeansOneSession) {
    EXPECT_EQ(run({.id = "ffff"}), ExitCode::not_found);
    EXPECT_EQ(run({.id = ""}), ExitCode::usage);
    EXPECT_THAT(err_.str(), HasSubstr("the ids of 3 sessions begin with ''"));
}

}  // namespace session_verbs_test
}  // namespace vpnha::cli
