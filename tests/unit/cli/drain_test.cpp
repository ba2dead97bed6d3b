// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/drain.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <sstream>

namespace vpnha::cli {
namespace drain_test {

using nlohmann::json;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A vpnhad that has so many sessions, one after the other; the last number for ever.
class DrainTest : public ::testing::Test {
  protected:
    ExitCode run(const DrainOrder& order, std::deque<int> sessions) {
        return drain(order,
                     {[&](std::string_view verb, const json&) -> Result<json> {
                          verbs_.emplace_back(verb);
                          if (verb == "drain") {
                              return refusal_;
                          }
                          if (verb == "sessions") {
                              return json{{"sessions", std::exchange(sessions_, json::array())}};
                          }
                          if (verb == "session_end") {
                              return json::object();
                          }
                          if (verb == "switchover") {
                              return fail(Errc::busy, "no node can have it");
                          }
                          const int left = sessions.front();
                          if (sessions.size() > 1) {
                              sessions.pop_front();
                          }
                          return json{{"gateways",
                                       {{{"name", "other"}, {"sessions", {{"total", 9}}}},
                                        {{"name", "dialin"}, {"sessions", {{"total", left}}}}}}};
                      },
                      out_, err_, [this](std::chrono::milliseconds time) { paused_ += time; }});
    }

    Result<json> refusal_ = json::object();
    json sessions_ = json::array();
    std::ostringstream out_;
    std::ostringstream err_;
    std::vector<std::string> verbs_;
    std::chrono::milliseconds paused_{};
};

TEST_F(DrainTest, WaitsUntilNoSessionIsLeft) {
    EXPECT_EQ(run({"dialin", {}, false, false, false}, {3, 3, 1, 1, 0}), ExitCode::ok)
        << err_.str();
    EXPECT_EQ(out_.str(),
              "gateway dialin takes no new clients; sessions left: 3\n"
              "sessions left: 1\n"
              "sessions left: 0\n"
              "no session is left; `vpnha undrain dialin` has it take clients again\n");
    EXPECT_EQ(paused_, seconds(4));
}

TEST_F(DrainTest, NothingIsWaitedForWhenNobodyWantsTo) {
    EXPECT_EQ(run({"dialin", {}, false, false, true}, {3}), ExitCode::ok);
    EXPECT_THAT(verbs_, ElementsAre("drain", "status"));
}

TEST_F(DrainTest, AtTheDeadlineItSaysWhatIsLeft) {
    EXPECT_EQ(run({"dialin", seconds(5), false, false, false}, {3}), ExitCode::unreachable);
    EXPECT_EQ(paused_, seconds(5));
    EXPECT_THAT(err_.str(), HasSubstr("sessions left: 3"));
    EXPECT_THAT(err_.str(), HasSubstr("vpnha undrain"));
}

TEST_F(DrainTest, AtTheDeadlineItMovesWhatIsLeft) {
    EXPECT_EQ(run({"dialin", seconds(2), true, false, false}, {3}), ExitCode::failed);
    EXPECT_EQ(verbs_.back(), "switchover");
    EXPECT_THAT(out_.str(), HasSubstr("the gateway moves"));
}

TEST_F(DrainTest, AtTheDeadlineItEndsWhatIsLeft) {
    sessions_ = {{{"id", "0123456789ab"}}, {{"id", "ba9876543210"}}};
    EXPECT_EQ(run({"dialin", seconds(2), false, true, false}, {2}), ExitCode::ok);
    EXPECT_THAT(verbs_, ElementsAre("drain", "status", "status", "status", "sessions",
                                    "session_end", "session_end", "sessions"));
    EXPECT_THAT(out_.str(), HasSubstr("sessions that are ended: 2\nno session is left"));
}

TEST_F(DrainTest, WhoIsWatchedSaysThatItLives) {
    EXPECT_EQ(run({"dialin", seconds(61), false, false, false}, {3}), ExitCode::unreachable);
    EXPECT_THAT(out_.str(), HasSubstr("\nsessions left: 3\n"));
}

TEST_F(DrainTest, ARefusalEndsIt) {
    refusal_ = fail(Errc::busy, "gw2 is promoted");
    EXPECT_EQ(run({"dialin", {}, false, false, false}, {3}), ExitCode::failed);
    EXPECT_THAT(verbs_, ElementsAre("drain"));
    EXPECT_THAT(err_.str(), HasSubstr("gw2 is promoted"));
}

}  // namespace drain_test
}  // namespace vpnha::cli
