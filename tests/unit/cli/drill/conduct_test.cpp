// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/drill/conduct.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "unit/cli/drill/sample_facts.hpp"

namespace vpnha::cli::drill {
namespace conduct_test {

using nlohmann::json;
using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr double kBegun = 1'764'000'000'000;  // 2025-11-24T16:00:00Z

// A cluster in its own time: 600 ms after the fault gw2 serves, unless nobody is to.
class ConductTest : public ::testing::Test {
  protected:
    ExitCode run(Order order) {
        order.gateway = "dialin";
        const Ports ports{
            .out = out_,
            .err = err_,
            .ask = [this](auto verb, const json&) { return answer(verb); },
            .look = [this] { return Result<Facts>(facts_); },
            .look_at_health = [this] { return Result<Facts>(facts_); },
            .agrees = [this] { return agrees_; },
            .arm = [this](const Plan& plan, milliseconds) -> Result<Fault> {
                story_.push_back("armed: " + plan.fault);
                return Fault{.strike =
                                 [this] {
                                     story_.emplace_back("struck");
                                     struck_ms_ = now_ms_;
                                 },
                             .news = [this] { return news(); },
                             .undo = [this]() -> Result<void> {
                                 story_.emplace_back("undone");
                                 undone_ms_ = now_ms_;
                                 return undo_result_;
                             }};
            },
            .watch = {},
            .unix_ms = [this] { return now_ms_; },
            .pause = [this](milliseconds time) { now_ms_ += static_cast<double>(time.count()); },
            .write =
                [this](const Record& record) {
                    story_.push_back("wrote: " + std::string(to_string(record.outcome)));
                    written_ = record;
                    return Result<void>();
                }};
        return conduct(order, ports);
    }

    [[nodiscard]] bool has_moved() const {
        return is_taken_over_ && struck_ms_ && now_ms_ - *struck_ms_ >= 600;
    }
    [[nodiscard]] Striker::News news() const {
        return {.struck_ms = struck_ms_, .is_done = true, .trouble = trouble_, .output = ""};
    }
    Result<json> answer(std::string_view verb) {
        if (verb == "status") {
            json status = facts_.status;
            status["gateways"][0]["promoted_node"] = has_moved() ? 2 : 1;
            return status;
        }
        if (verb == "sessions") {
            return struck_ms_ ? after_ : before_;
        }
        EXPECT_EQ(verb, "events");
        json events = json::array();
        if (struck_ms_ && !is_logged_) {
            is_logged_ = true;
            events.push_back({{"sequence", 8},
                              {"time", "2025-11-24T16:00:05.250000Z"},
                              {"event", "given-away"},
                              {"fields", {{"gateway", "dialin"}}},
                              {"text", "gives it away event=given-away gateway=dialin"}});
            events.push_back({{"sequence", 9},
                              {"time", "2025-11-24T16:00:05.300000Z"},
                              {"event", "link"},
                              {"fields", {{"gateway", "other"}}},
                              {"text", "of another gateway event=link"}});
        }
        return json{{"instance", "161"}, {"events", events}};
    }

    Facts facts_ = sample_facts();
    bool agrees_ = true;
    bool is_taken_over_ = true;
    bool is_logged_ = false;
    std::string trouble_;
    Result<void> undo_result_;
    json before_ = {{"sessions", {{{"id", "a"}}, {{"id", "b"}}}}};
    json after_ = before_;
    double now_ms_ = kBegun;
    std::optional<double> struck_ms_;
    std::optional<double> undone_ms_;
    std::vector<std::string> story_;
    std::optional<Record> written_;
    std::ostringstream out_;
    std::ostringstream err_;
};

TEST_F(ConductTest, ADrillIsArmedBeforeItStrikesAndUndoneBehind) {
    EXPECT_EQ(run({.kind = Kind::daemon, .yes = true}), ExitCode::ok) << err_.str() << out_.str();
    EXPECT_THAT(story_, ElementsAre("armed: SIGKILL of vpnhad of gw1", "wrote: begun", "struck",
                                    "undone", "wrote: moved"));
    EXPECT_EQ(written_->from, "gw1");
    EXPECT_EQ(written_->to, "gw2");
    EXPECT_EQ(*written_->moved_ms - *written_->struck_ms, 600);
    EXPECT_EQ(*undone_ms_ - *written_->moved_ms, 5000);
    EXPECT_EQ(written_->sessions->kept, 2U);
    EXPECT_THAT(out_.str(), HasSubstr("undone by: /usr/sbin/crm_resource --cleanup --node gw1"));
}

TEST_F(ConductTest, EventsOfTheGatewayAreMomentsAndTheFirstThatKnowsIsTheNotice) {
    EXPECT_EQ(run({.kind = Kind::daemon, .yes = true}), ExitCode::ok);
    ASSERT_EQ(written_->moments.size(), 1U);
    EXPECT_EQ(written_->moments[0].text, "gives it away");
    ASSERT_TRUE(written_->noticed_ms);
    EXPECT_EQ(*written_->noticed_ms - *written_->struck_ms, 250);
}

TEST_F(ConductTest, ARefusalHasAllReasonsAndTouchesNothing) {
    facts_.cluster->fencing_enabled = false;
    EXPECT_EQ(run({.kind = Kind::node_power, .yes = true}), ExitCode::failed);
    EXPECT_THAT(err_.str(), HasSubstr("refused: fencing is off"));
    EXPECT_THAT(err_.str(), HasSubstr("refused: this node, gw1, serves"));
    EXPECT_THAT(story_, IsEmpty());
}

TEST_F(ConductTest, WhoDoesNotAgreeHasNothingDone) {
    agrees_ = false;
    EXPECT_EQ(run({.kind = Kind::daemon}), ExitCode::failed);
    EXPECT_THAT(story_, IsEmpty());
    EXPECT_THAT(out_.str(), HasSubstr("nothing was done"));
}

TEST_F(ConductTest, AFaultThatNobodyTakesOverIsUndoneInTime) {
    is_taken_over_ = false;
    EXPECT_EQ(run({.kind = Kind::daemon, .at_most = std::chrono::seconds(20), .yes = true}),
              ExitCode::degraded);
    EXPECT_EQ(written_->outcome, Outcome::stayed);
    EXPECT_EQ(*undone_ms_ - *struck_ms_, 20'000);
}

TEST_F(ConductTest, AFaultThatCannotBeMadeIsUndoneAtOnce) {
    trouble_ = "ip: exit code 2";
    EXPECT_EQ(run({.kind = Kind::link, .yes = true}), ExitCode::failed);
    EXPECT_THAT(story_, Contains("undone"));
    EXPECT_THAT(out_.str(), HasSubstr("could not be made: ip: exit code 2"));
}

TEST_F(ConductTest, AnUndoThatFailsIsNamedLoudly) {
    undo_result_ = fail(Errc::system, "ip link set dev eth1 up");
    EXPECT_EQ(run({.kind = Kind::link, .yes = true}), ExitCode::failed);
    EXPECT_THAT(out_.str(), HasSubstr("NOT UNDONE, type this: ip link set dev eth1 up"));
}

TEST_F(ConductTest, SessionsThatEndedAndNewOnesAreCounted) {
    after_ = {{"sessions", {{{"id", "b"}}, {{"id", "c"}}, {{"id", "d"}}}}};
    EXPECT_EQ(run({.kind = Kind::daemon, .yes = true}), ExitCode::degraded);
    EXPECT_EQ(written_->sessions->lost, 1U);
    EXPECT_EQ(written_->sessions->anew, 2U);
}

TEST_F(ConductTest, AClusterWithAStandbyLessIsNotHealthyAgain) {
    // gw3 is gone from the moment of the fault on.
    const Facts healthy = facts_;
    Facts hurt = facts_;
    hurt.status["gateways"][0]["standbys"] = json::array({2});
    const auto begun = now_ms_;
    Order order{.kind = Kind::daemon, .gateway = "dialin", .yes = true};
    order.recovery = std::chrono::seconds(10);
    const Ports ports{
        .out = out_,
        .err = err_,
        .ask = [this](auto verb, const json&) { return answer(verb); },
        .look = [&] { return Result<Facts>(healthy); },
        .look_at_health = [&] { return Result<Facts>(hurt); },
        .agrees = [] { return true; },
        .arm = [this](const Plan&, milliseconds) -> Result<Fault> {
            return Fault{.strike = [this] { struck_ms_ = now_ms_; },
                         .news = [this] { return news(); },
                         .undo = [] { return Result<void>(); }};
        },
        .watch = {},
        .unix_ms = [this] { return now_ms_; },
        .pause = [this](milliseconds time) { now_ms_ += static_cast<double>(time.count()); },
        .write = [](const Record&) { return Result<void>(); }};
    EXPECT_EQ(conduct(order, ports), ExitCode::degraded);
    EXPECT_THAT(out_.str(), HasSubstr("not healthy again yet"));
    EXPECT_GE(now_ms_ - begun, 10'000);
}

}  // namespace conduct_test
}  // namespace vpnha::cli::drill
