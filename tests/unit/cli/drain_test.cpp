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
        return drain(
            order,
            {[&](std::string_view verb, const json& fields) -> Result<json> {
                 verbs_.emplace_back(verb);
                 if (verb == "drain") {
                     drained_.push_back(fields.at("gateway"));
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
                 if (is_gone_ && !drained_.empty()) {
                     return json{{"gateways", json::array()}};
                 }
                 const auto gateway = [](const char* name, const char* role, int total) {
                     return json{{"name", name}, {"role", role}, {"sessions", {{"total", total}}}};
                 };
                 return json{
                     {"node", {{"name", "gw1"}}},
                     {"gateways",
                      {gateway("other", "unpromoted", 9), gateway("dialin", "promoted", left),
                       gateway("office", office_, office_left_)}}};
             },
             out_, err_, [this](std::chrono::milliseconds time) { paused_ += time; }});
    }

    Result<json> refusal_ = json::object();
    json sessions_ = json::array();
    const char* office_ = "unpromoted";
    int office_left_ = 5;
    bool is_gone_ = false;
    std::ostringstream out_;
    std::ostringstream err_;
    std::vector<std::string> verbs_;
    std::vector<std::string> drained_;
    std::chrono::milliseconds paused_{};
};

TEST_F(DrainTest, WaitsUntilNoSessionIsLeft) {
    EXPECT_EQ(run({"dialin", {}, false, false, false}, {3, 3, 3, 1, 1, 0}), ExitCode::ok)
        << err_.str();
    EXPECT_EQ(out_.str(),
              "gateway dialin accepts no new clients; sessions left: 3\n"
              "sessions left: 1\n"
              "sessions left: 0\n"
              "no session is left; `vpnha undrain dialin` has it accept clients again\n");
    EXPECT_EQ(paused_, seconds(4));
}

TEST_F(DrainTest, NothingIsWaitedForWhenNobodyWantsTo) {
    EXPECT_EQ(run({"dialin", {}, false, false, true}, {3}), ExitCode::ok);
    EXPECT_THAT(verbs_, ElementsAre("status", "drain", "status"));
}

TEST_F(DrainTest, AtTheDeadlineItReportsWhatIsLeft) {
    EXPECT_EQ(run({"dialin", seconds(5), false, false, false}, {3}), ExitCode::unreachable);
    EXPECT_EQ(paused_, seconds(5));
    EXPECT_THAT(err_.str(), HasSubstr("sessions left: 3"));
    EXPECT_THAT(err_.str(), HasSubstr("vpnha undrain"));
}

TEST_F(DrainTest, AtTheDeadlineItMovesWhatIsLeft) {
    EXPECT_EQ(run({"dialin", seconds(2), true, false, false}, {3}), ExitCode::failed);
    EXPECT_EQ(verbs_.back(), "switchover");
    EXPECT_THAT(out_.str(), HasSubstr("gateway dialin moves and stays drained"));
}

TEST_F(DrainTest, AtTheDeadlineItEndsWhatIsLeft) {
    sessions_ = {{{"id", "0123456789ab"}}, {{"id", "ba9876543210"}}};
    EXPECT_EQ(run({"dialin", seconds(2), false, true, false}, {2}), ExitCode::ok);
    EXPECT_THAT(verbs_, ElementsAre("status", "drain", "status", "status", "status", "sessions",
                                    "session_end", "session_end", "sessions"));
    EXPECT_THAT(out_.str(), HasSubstr("sessions that are ended: 2\nno session is left"));
}

TEST_F(DrainTest, WhoIsWatchedReportsThatItLives) {
    EXPECT_EQ(run({"dialin", seconds(61), false, false, false}, {3}), ExitCode::unreachable);
    EXPECT_THAT(out_.str(), HasSubstr("\nsessions left: 3\n"));
}

TEST_F(DrainTest, ARefusalEndsIt) {
    refusal_ = fail(Errc::busy, "gw2 is promoted");
    EXPECT_EQ(run({"dialin", {}, false, false, false}, {3}), ExitCode::failed);
    EXPECT_THAT(verbs_, ElementsAre("status", "drain"));
    EXPECT_THAT(err_.str(), HasSubstr("gw2 is promoted"));
}

TEST_F(DrainTest, AGatewayThatIsNoMoreIsNotAnEmptyOne) {
    is_gone_ = true;
    EXPECT_EQ(run({"dialin", {}, false, false, false}, {3}), ExitCode::not_found);
    EXPECT_THAT(err_.str(), HasSubstr("vpnhad has no gateway 'dialin'"));
}

TEST_F(DrainTest, ANodeIsAllThatItServes) {
    office_ = "promoted";
    office_left_ = 0;
    EXPECT_EQ(run({"gw1", {}, false, false, false}, {2, 2, 0}), ExitCode::ok) << err_.str();
    EXPECT_THAT(drained_, ElementsAre("dialin", "office"));
    EXPECT_EQ(out_.str(),
              "gateways dialin, office accept no new clients; sessions left: 2\n"
              "sessions left: 0\n"
              "no session is left; `vpnha undrain dialin`, `vpnha undrain office` has it accept "
              "clients again\n");
}

TEST_F(DrainTest, AtTheDeadlineAllGatewaysOfANodeMove) {
    office_ = "promoted";
    EXPECT_EQ(run({"gw1", seconds(2), true, false, false}, {2}), ExitCode::failed);
    EXPECT_EQ(std::ranges::count(verbs_, "switchover"), 2);
    EXPECT_THAT(out_.str(), HasSubstr("gateways dialin, office move and stay drained"));
}

TEST_F(DrainTest, AnotherNodeIsNotDrainedFromHere) {
    EXPECT_EQ(run({"gw2", {}, false, false, false}, {2}), ExitCode::not_found);
    EXPECT_THAT(drained_, ElementsAre());
    EXPECT_THAT(err_.str(), HasSubstr("no gateway 'gw2', and this node is gw1"));
}

}  // namespace drain_test
}  // namespace vpnha::cli
