// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/requests.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/corosync/cluster_nodes.hpp"
#include "host/os/log.hpp"
#include "support/temporary_path.hpp"
#include "unit/cluster/node/fake_cluster.hpp"
#include "unit/cluster/node/sample_session.hpp"
#include "unit/host/os/in_loop.hpp"
#include "vpnha/control.hpp"

namespace vpnha::runtime {
namespace requests_test {

using nlohmann::json;

// One node that is promoted for its gateway `l2tp` and serves a session, behind a control socket.
class RequestsTest : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(cluster_.promote(1));
        cluster_.run(1, cluster_.at(1).node->on_plugin_up(
                            1, "l2tp", node::stock_session(node::session(1)), "", cluster_.now()));
        cluster_.pass(std::chrono::seconds(2));
        config_.gateways.emplace_back().id = node::kGateway;
        config_.gateways.back().name = "l2tp";
        auto opened = adapters::ControlServer::open(
            loop_, {.path = path_},
            [this](const adapters::ControlRequest& request, adapters::ControlReply reply) {
                requests_->on_request(request, std::move(reply), cluster_.now());
            });
        ASSERT_TRUE(opened) << opened.error().detail;
        server_ = std::move(*opened);
    }
    Result<json> ask(std::string_view verb, std::string_view arguments) {
        Result<std::string> answer;
        adapters::run_while(loop_, [&] {
            Result<ControlClient> client = ControlClient::connect(path_, std::chrono::seconds(10));
            ASSERT_TRUE(client);
            answer = client->request(verb, arguments);
        });
        return answer.map([](const std::string& text) { return json::parse(text); });
    }

    // Of what the node wants done, only its answers.
    Requests::Daemon daemon() {
        Requests::Daemon daemon;
        daemon.run = [this](const effects::Effects& effects) {
            for (const effects::Effect& effect : effects) {
                if (const auto* answer = std::get_if<effects::AnswerRequest>(&effect)) {
                    requests_->on_answer(*answer);
                }
                messages_ += std::holds_alternative<effects::SendToGroup>(effect) ? 1 : 0;
                ended_ += std::holds_alternative<effects::EndPlugin>(effect) ? 1 : 0;
            }
        };
        daemon.nodes = [this] {
            return with_removed_voters({}, {}, cluster_.at(1).node->voters());
        };
        daemon.strays = [this] { return strays_; };
        daemon.status = [](const std::map<GatewayId, SessionCounts>& sessions) {
            return sessions.at(node::kGateway).view();
        };
        daemon.loop = {.now = [this] { return now_ += step_; },
                       .run_at =
                           [this](TimePoint, std::function<void()> then) {
                               loop_.set_timer(1, adapters::QbLoop::now(), std::move(then));
                           }};
        daemon.after_scores = [](const std::function<void()>& then) { then(); };
        return daemon;
    }

    std::string path_ = temporary_path("requests.sock");
    std::vector<StraySession> strays_;
    TimePoint now_{};  // By the clock of the walks through all sessions,
    Duration step_{};  // which continues by so much at each look.
    int messages_ = 0;
    int ended_ = 0;
    node::FakeCluster cluster_{3};
    config::Config config_;
    std::optional<Requests> requests_{std::in_place, config_, *cluster_.at(1).node, daemon()};
    adapters::QbLoop loop_;
    std::unique_ptr<adapters::ControlServer> server_;
};

TEST_F(RequestsTest, AnOrderIsLoggedWithWhoGaveIt) {
    ASSERT_TRUE(ask("drain", R"({"gateway": "l2tp"})"));
    ASSERT_TRUE(ask("plan", "{}"));
    std::string lines;
    for (const adapters::Event& event : adapters::events_after(0)) {
        lines += event.text + "\n";
    }
    EXPECT_THAT(lines, ::testing::HasSubstr(
                           "drain was ordered event=ordered verb=drain gateway=l2tp uid=0"));
    EXPECT_THAT(lines, ::testing::Not(::testing::HasSubstr("verb=plan")));
}

TEST_F(RequestsTest, SessionsOfOneGatewayOrOfAll) {
    for (const char* arguments : {"{}", R"({"gateway":"l2tp"})"}) {
        const Result<json> result = ask("sessions", arguments);
        ASSERT_TRUE(result) << result.error().detail;
        EXPECT_EQ(result->at("sessions").size(), 1U);
    }
}

TEST_F(RequestsTest, StrayOnesAreOfTheGatewayThatTheyName) {
    strays_ = {{"l2tp", "bob", "10.0.0.1", "ppp7", {}, "one"}, {"", "", "", "", {}, "two"}};
    const Result<json> all = ask("sessions", "{}");
    ASSERT_TRUE(all) << all.error().detail;
    EXPECT_EQ(all->at("sessions").size(), 3U);
    const Result<json> of_one = ask("sessions", R"({"gateway":"l2tp"})");
    ASSERT_TRUE(of_one) << of_one.error().detail;
    EXPECT_EQ(of_one->at("sessions").size(), 2U);
}

TEST_F(RequestsTest, WhatTakesSeveralSlicesIsAnswered) {
    step_ = limits::kLoopSlice;
    const Result<json> status = ask("status", "{}");
    ASSERT_TRUE(status) << status.error().detail;
    EXPECT_EQ(status->at("total"), 1);
    const Result<json> sessions = ask("sessions", "{}");
    ASSERT_TRUE(sessions) << sessions.error().detail;
    EXPECT_EQ(sessions->at("sessions").size(), 1U);
}

TEST_F(RequestsTest, WhatTheLogReportedIsReportedAgain) {
    const std::uint64_t before =
        adapters::events_after(0).empty() ? 0 : adapters::events_after(0).back().sequence;
    adapters::write_log(LogLevel::warning, "so it is event=vote-lost gateway=l2tp: why");
    const Result<json> result = ask("events", json{{"after", before}}.dump());
    ASSERT_TRUE(result) << result.error().detail;
    ASSERT_EQ(result->at("events").size(), 1U);
    const json& event = result->at("events").front();
    EXPECT_EQ(event.at("event"), "vote-lost");
    EXPECT_EQ(event.at("fields"), (json{{"gateway", "l2tp"}}));
    EXPECT_EQ(event.at("level"), "warning");
    EXPECT_THAT(event.at("time"), ::testing::MatchesRegex("20.*T.*\\.......Z"));
}

TEST_F(RequestsTest, AGatewayThatIsNotThereIsNotFound) {
    for (const char* verb : {"sessions", "plan", "resync"}) {
        const Result<json> result = ask(verb, R"({"gateway":"l2pt"})");
        ASSERT_FALSE(result) << verb;
        EXPECT_EQ(result.error().code, Errc::not_found);
        EXPECT_THAT(result.error().detail, ::testing::HasSubstr("name one of: l2tp"));
    }
}

TEST_F(RequestsTest, ASwitchoverIsPlannedAskedForAndFollowed) {
    const Result<json> possible = ask("switchover", R"({"gateway":"l2tp","dry_run":true})");
    ASSERT_TRUE(possible) << possible.error().detail;
    EXPECT_EQ(possible->at("state"), "possible");
    EXPECT_EQ(possible->at("to").at("name"), "gw2");
    EXPECT_EQ(messages_, 0);
    const Result<json> asked = ask("switchover", R"({"gateway":"l2tp","to":"gw3"})");
    ASSERT_TRUE(asked) << asked.error().detail;
    EXPECT_EQ(asked->at("state"), "asked");
    EXPECT_EQ(messages_, 1);
    json again{{"gateway", "l2tp"}, {"to", "3"}, {"epoch", asked->at("epoch")}};
    EXPECT_EQ(ask("switchover", again.dump()).value_or(json()).value("state", ""), "moving");
    EXPECT_EQ(messages_, 2);
    ASSERT_TRUE(cluster_.begin_demote(1));
    EXPECT_EQ(ask("switchover", again.dump()).value_or(json()).value("state", ""), "moving")
        << "on its way nobody may be promoted";
    ASSERT_TRUE(cluster_.promote(3));
    const Result<json> moved = ask("switchover", again.dump());
    ASSERT_TRUE(moved) << moved.error().detail;
    EXPECT_EQ(moved->at("state"), "moved");
    EXPECT_EQ(moved->at("to").at("id"), 3);
    EXPECT_EQ(messages_, 3) << "what has moved is asked for no more";
}

TEST_F(RequestsTest, ASessionIsEndedByTheBeginOfItsId) {
    const Result<json> result = ask("sessions", "{}");
    ASSERT_TRUE(result);
    const auto id = result->at("sessions").at(0).at("id").get<std::string>();
    EXPECT_TRUE(ask("session_end", json{{"id", id.substr(0, 4)}}.dump()));
    EXPECT_EQ(ended_, 1);
    const auto code = [&](const std::string& wrong) {
        const Result<json> refused = ask("session_end", json{{"id", wrong}}.dump());
        EXPECT_FALSE(refused) << wrong;
        return refused ? Errc::system : refused.error().code;
    };
    EXPECT_EQ(code(id.substr(0, 3)), Errc::invalid_argument);
    EXPECT_EQ(code("wxyz"), Errc::not_found);
    EXPECT_EQ(code(""), Errc::invalid_argument);
    EXPECT_EQ(ended_, 1);
}

TEST_F(RequestsTest, ASwitchoverThatCannotBeIsRefused) {
    const Result<json> here = ask("switchover", R"({"gateway":"l2tp","to":"gw1"})");
    ASSERT_FALSE(here);
    EXPECT_EQ(here.error().code, Errc::already_exists);
    EXPECT_EQ(ask("switchover", R"({"gateway":"l2tp","to":"gw9"})").error().code, Errc::not_found);
    EXPECT_EQ(ask("switchover", R"({"gateway":"x"})").error().code, Errc::not_found);
    EXPECT_EQ(messages_, 0);
}

// Corosync lists nobody here: a voter is known by its id, and by the name that its vpnhad
// announced.
TEST_F(RequestsTest, ARemovedVoterIsNamedAsBefore) {
    for (const char* name : {"2", "gw2"}) {
        const Result<json> lives = ask("confirm_dead", json{{"node", name}}.dump());
        ASSERT_FALSE(lives);
        EXPECT_EQ(lives.error().code, Errc::busy) << name;
    }
    const Result<json> unknown = ask("confirm_dead", R"({"node":"gw9"})");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, Errc::not_found);
    EXPECT_THAT(unknown.error().detail, ::testing::HasSubstr("no node 'gw9'"));
}

TEST_F(RequestsTest, WhoAttachesLearnsWhoHasTheGateway) {
    const Result<json> result = ask("attach", R"({"gateway":"l2tp","resource":"checkpoint"})");
    ASSERT_TRUE(result) << result.error().detail;
    EXPECT_EQ(result->at("process"), ::getpid());
    EXPECT_EQ(result->at("instance"), std::to_string(cluster_.at(1).node->settings().instance));
    EXPECT_TRUE(requests_->has_attached());
}

TEST_F(RequestsTest, WhoOnlyVotesTakesNoPart) {
    Requests::Daemon voter = daemon();
    voter.restart = {3, "signal 11", true};
    requests_.emplace(config_, *cluster_.at(1).node, std::move(voter));
    for (const char* verb : {"attach", "promote"}) {
        const Result<json> result = ask(verb, R"({"gateway":"l2tp"})");
        ASSERT_FALSE(result) << verb;
        EXPECT_EQ(result.error().code, Errc::limit);
        EXPECT_THAT(result.error().detail, ::testing::HasSubstr("last of signal 11"));
    }
    EXPECT_TRUE(ask("monitor", R"({"gateway":"l2tp"})"));
    EXPECT_FALSE(requests_->has_attached());
}

// Node 2 is a standby whose gateway was stopped; node 1 has its records.
class StoppedRequestsTest : public RequestsTest {
  protected:
    void SetUp() override {
        RequestsTest::SetUp();
        ASSERT_TRUE(cluster_.detach(2));
        Requests::Daemon stopped = daemon();
        stopped.differences = [this](const StartParameters& wanted) {
            wanted_ = wanted;
            return differences_;
        };
        requests_.emplace(config_, *cluster_.at(2).node, std::move(stopped));
    }
    const node::GatewayNode& gateway() { return *cluster_.at(2).node->find(node::kGateway); }
    static constexpr const char* kStart =
        R"({"gateway":"l2tp","resource":"checkpoint","config":"/a.toml","log_file":"/a.log"})";

    std::vector<std::string> differences_;
    StartParameters wanted_;
};

TEST_F(StoppedRequestsTest, AMonitorFindsNothingThatRuns) {
    const Result<json> state = ask("monitor", R"({"gateway":"l2tp"})");
    ASSERT_TRUE(state) << state.error().detail;
    EXPECT_EQ(state->at("attached"), false);
    EXPECT_EQ(state->at("kept"), true);
}

TEST_F(StoppedRequestsTest, AStartTakesItBack) {
    ASSERT_TRUE(ask("attach", kStart));
    EXPECT_EQ(wanted_.config_file, "/a.toml");
    EXPECT_EQ(wanted_.log_file, "/a.log");
    EXPECT_TRUE(gateway().cores().attachment.attached() && !gateway().cores().attachment.leaving());
    EXPECT_EQ(gateway().cores().keepers.session_totals().all, 1U);
}

TEST_F(StoppedRequestsTest, OfAnotherConfigurationItMakesWayForANewOne) {
    differences_ = {"vpnha.toml has changed"};
    const Result<json> refused = ask("attach", kStart);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::busy);
    EXPECT_THAT(refused.error().detail, ::testing::HasSubstr("vpnha.toml has changed"));
    EXPECT_FALSE(gateway().cores().attachment.attached());
}

TEST_F(StoppedRequestsTest, TheLastOneWithTheRecordsContinuesWithItsOldConfiguration) {
    differences_ = {"vpnha.toml has changed"};
    ASSERT_TRUE(cluster_.detach(3));
    ASSERT_TRUE(cluster_.detach(1));
    cluster_.pass(std::chrono::seconds(3));
    ASSERT_TRUE(ask("attach", kStart));
    EXPECT_EQ(gateway().cores().keepers.session_totals().all, 1U);
}

TEST_F(RequestsTest, AVerbThatIsNotThereIsAnInvalidArgument) {
    EXPECT_EQ(ask("config", "{}").error().code, Errc::invalid_argument);
}

}  // namespace requests_test
}  // namespace vpnha::runtime
