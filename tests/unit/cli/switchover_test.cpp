// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/switchover.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <sstream>

namespace vpnha::cli {
namespace switchover_test {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

json view(const char* state, const json& figures = json::object()) {
    json all{{"gateway", "dialin"},
             {"epoch", "3.1"},
             {"state", state},
             {"from", {{"id", 1}, {"name", "gw1"}}},
             {"to", {{"id", 2}, {"name", "gw2"}}},
             {"sessions", 40},
             {"moved", nullptr},
             {"lost", nullptr},
             {"silence_ms", nullptr}};
    all.update(figures);
    return all;
}

const json kFigures{{"moved", 39}, {"lost", 1}, {"silence_ms", 12.4}};

// A vpnhad that answers one thing after the other, the last one for ever.
class SwitchoverTest : public ::testing::Test {
  protected:
    ExitCode run(const Switchover& order, std::deque<Result<json>> answers) {
        const SwitchoverPorts ports{[&](std::string_view verb, const json& arguments) {
                                        EXPECT_EQ(verb, "switchover");
                                        asked_.push_back(arguments);
                                        const Result<json> answer = answers.front();
                                        if (answers.size() > 1) {
                                            answers.pop_front();
                                        }
                                        return answer;
                                    },
                                    out_, err_,
                                    [this](std::chrono::milliseconds time) { paused_ += time; }};
        return switch_over(order, ports);
    }

    std::ostringstream out_;
    std::ostringstream err_;
    std::vector<json> asked_;
    std::chrono::milliseconds paused_{};
};

TEST_F(SwitchoverTest, AsksAgainUntilTheRoleHasMovedAndReportsWhatItHasCost) {
    const ExitCode code = run({"dialin", "", false},
                              {view("asked"), view("moving"), view("moved"),
                               view("moved", {{"moved", 40}, {"lost", 0}, {"silence_ms", 12.4}})});
    EXPECT_EQ(code, ExitCode::ok) << err_.str();
    EXPECT_EQ(out_.str(),
              "gateway dialin: from gw1 to gw2, 40 sessions\n"
              "gw2 calls for the role; Pacemaker decides\n"
              "gw2 is promoted\n"
              "silent for 12 ms, 40 sessions moved, 0 lost\n");
    ASSERT_EQ(asked_.size(), 4U);
    EXPECT_EQ(asked_[0], json({{"gateway", "dialin"}, {"dry_run", false}}));
    EXPECT_EQ(asked_[2],
              json({{"gateway", "dialin"}, {"dry_run", false}, {"to", "2"}, {"epoch", "3.1"}}));
}

TEST_F(SwitchoverTest, ADryRunAsksOnce) {
    EXPECT_EQ(run({"dialin", "gw2", true}, {view("possible")}), ExitCode::ok);
    EXPECT_THAT(out_.str(), HasSubstr("nothing was done"));
    ASSERT_EQ(asked_.size(), 1U);
    EXPECT_EQ(asked_[0], json({{"gateway", "dialin"}, {"dry_run", true}, {"to", "gw2"}}));
}

TEST_F(SwitchoverTest, LostSessionsAreAmiss) {
    EXPECT_EQ(run({"dialin", "", false}, {view("asked"), view("moved", kFigures)}),
              ExitCode::degraded);
    EXPECT_THAT(out_.str(), HasSubstr("39 sessions moved, 1 lost"));
}

TEST_F(SwitchoverTest, FiguresThatNobodyReportsAreNotKnown) {
    EXPECT_EQ(run({"dialin", "", false}, {view("asked"), view("moved")}), ExitCode::ok);
    EXPECT_THAT(out_.str(), HasSubstr("silence not known, sessions not counted"));
    EXPECT_LT(paused_, std::chrono::seconds(5));
}

TEST_F(SwitchoverTest, ARefusalIsReported) {
    EXPECT_EQ(run({"dialin", "gw1", false}, {fail(Errc::already_exists, "gw1 has it")}),
              ExitCode::failed);
    EXPECT_THAT(err_.str(), HasSubstr("gw1 has it"));
    EXPECT_EQ(out_.str(), "");
}

TEST_F(SwitchoverTest, AnotherNodeThatGetsItIsAFailure) {
    EXPECT_EQ(run({"dialin", "gw2", false},
                  {view("asked"), view("moved", {{"to", {{"id", 3}, {"name", "gw3"}}}})}),
              ExitCode::failed);
    EXPECT_THAT(err_.str(), HasSubstr("gw3 has the gateway now, not gw2"));
}

TEST_F(SwitchoverTest, WhenPacemakerDoesNotMoveItTheAttemptEndsInWords) {
    EXPECT_EQ(run({"dialin", "", false}, {view("asked")}), ExitCode::unreachable);
    EXPECT_THAT(err_.str(), HasSubstr("has not moved the role to gw2 within 60 s"));
    EXPECT_EQ(paused_, std::chrono::seconds(60));
    EXPECT_EQ(asked_.back().at("dry_run"), true);
}

TEST_F(SwitchoverTest, AReasonThatHasComeMeanwhileIsNamed) {
    std::deque<Result<json>> answers(241, view("asked"));
    answers.emplace_back(fail(Errc::busy, "gw2 cannot have it: its outside link is lost"));
    EXPECT_EQ(run({"dialin", "", false}, answers), ExitCode::failed);
    EXPECT_THAT(err_.str(), HasSubstr("its outside link is lost"));
}

}  // namespace switchover_test
}  // namespace vpnha::cli
