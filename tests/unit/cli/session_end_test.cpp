// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/session_end.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace vpnha::cli {
namespace session_end_test {

using nlohmann::json;
using ::testing::HasSubstr;

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

}  // namespace session_end_test
}  // namespace vpnha::cli
