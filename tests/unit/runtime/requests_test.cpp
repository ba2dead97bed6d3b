// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/requests.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/temporary_path.hpp"
#include "unit/adapters/in_loop.hpp"
#include "unit/node/fake_cluster.hpp"
#include "unit/node/sample_session.hpp"
#include "vpnha/control.hpp"

namespace vpnha::runtime {
namespace {

using nlohmann::json;

// One node that is promoted for its gateway `l2tp` and serves a session, behind a control socket.
class RequestsTest : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(cluster_.promote(1));
        cluster_.run(
            1, cluster_.at(1).node->on_plugin_up(1, "l2tp", node::session(1), "", cluster_.now()));
        cluster_.pass(std::chrono::seconds(2));
        config_.gateways.emplace_back().id = node::kGateway;
        config_.gateways.back().name = "l2tp";
        auto opened = adapters::ControlServer::open(
            loop_, {.path = path_},
            [this](const adapters::ControlRequest& request, adapters::ControlReply reply) {
                requests_.on_request(request, std::move(reply), cluster_.now());
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

    std::string path_ = temporary_path("requests.sock");
    node::FakeCluster cluster_{3};
    config::Config config_;
    Requests requests_{config_, *cluster_.at(1).node, {}};
    adapters::QbLoop loop_;
    std::unique_ptr<adapters::ControlServer> server_;
};

TEST_F(RequestsTest, SessionsOfOneGatewayOrOfAll) {
    for (const char* arguments : {"{}", R"({"gateway":"l2tp"})"}) {
        const Result<json> result = ask("sessions", arguments);
        ASSERT_TRUE(result) << result.error().detail;
        EXPECT_EQ(result->at("sessions").size(), 1U);
    }
}

TEST_F(RequestsTest, AGatewayThatIsNotThereIsNotFound) {
    for (const char* verb : {"sessions", "plan", "resync"}) {
        const Result<json> result = ask(verb, R"({"gateway":"l2pt"})");
        ASSERT_FALSE(result) << verb;
        EXPECT_EQ(result.error().code, Errc::not_found);
        EXPECT_THAT(result.error().detail, testing::HasSubstr("name one of: l2tp"));
    }
}

TEST_F(RequestsTest, AVerbThatIsNotThereIsAnInvalidArgument) {
    EXPECT_EQ(ask("config", "{}").error().code, Errc::invalid_argument);
}

}  // namespace
}  // namespace vpnha::runtime
