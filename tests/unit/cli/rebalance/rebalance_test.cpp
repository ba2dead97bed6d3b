// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/rebalance/rebalance.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <utility>

namespace vpnha::cli::rebalance {
namespace rebalance_test {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

json gateway_of(const char* name, int node, int sessions) {
    return {{"name", name},
            {"role", "unpromoted"},
            {"promoted_node", node},
            {"sessions", {{"total", sessions}}}};
}

// gw1 serves dialin and office, gw2 and gw3 nothing, as gw3 sees it.
drill::Facts facts_of_three() {
    drill::Facts facts;
    json members = json::array();
    for (int id : {1, 2, 3}) {
        members.push_back({{"id", id}, {"name", "gw" + std::to_string(id)}});
    }
    facts.status = {{"quorate", true},
                    {"members", members},
                    {"gateways", {gateway_of("dialin", 1, 40), gateway_of("office", 1, 2)}}};
    facts.cluster =
        drill::ClusterState{.nodes = {{.name = "gw1"}, {.name = "gw2"}, {.name = "gw3"}}};
    return facts;
}

// A cluster in which each order to move is obeyed at once.
class RebalanceTest : public ::testing::Test {
  protected:
    ExitCode run(const Order& order) {
        const SwitchoverPorts ports{
            [this](std::string_view verb, const json& arguments) -> Result<json> {
                EXPECT_EQ(verb, "switchover");
                return answer(arguments);
            },
            out_, err_, [this](std::chrono::milliseconds time) { paused_ += time; }};
        return spread_gateways(order, ports, [this] { return facts_; });
    }

    Result<drill::Facts> facts_ = facts_of_three();
    // By gateway and node: why it cannot have it, and how often that is the answer.
    std::map<std::pair<std::string, std::string>, std::pair<Error, int>> objections_;
    // Orders to move, by gateway: what they are refused with.
    std::map<std::string, Error> refusals_;
    int lost_ = 0;
    std::vector<std::string> ordered_;
    std::ostringstream out_;
    std::ostringstream err_;
    std::chrono::milliseconds paused_{};

  private:
    Result<json> answer(const json& arguments) {
        const auto gateway = arguments.at("gateway").get<std::string>();
        const auto to = arguments.at("to").get<std::string>();
        const bool is_order = !arguments.at("dry_run").get<bool>();
        const auto objection = objections_.find({gateway, to});
        if (!is_order && objection != objections_.end() && objection->second.second > 0) {
            --objection->second.second;
            return tl::unexpected(objection->second.first);
        }
        if (const auto refusal = refusals_.find(gateway); is_order && refusal != refusals_.end()) {
            return tl::unexpected(refusal->second);
        }
        const bool continues = arguments.contains("epoch");
        if (is_order && !continues) {
            ordered_.push_back(gateway + " to " + to);
        }
        const std::string target = continues ? names_[to] : to;
        names_["2"] = target;
        return json{{"gateway", gateway},
                    {"epoch", "3.1"},
                    {"state", continues ? "moved" : "asked"},
                    {"from", {{"id", 1}, {"name", "gw1"}}},
                    {"to", {{"id", 2}, {"name", target}}},
                    {"sessions", 2},
                    {"moved", 2 - lost_},
                    {"lost", lost_},
                    {"silence_ms", 12.4}};
    }

    std::map<std::string, std::string> names_;
};

TEST_F(RebalanceTest, ThePlanIsShownAndNothingIsDone) {
    EXPECT_EQ(run({}), ExitCode::ok) << err_.str();
    EXPECT_EQ(out_.str(),
              "NODE  GATEWAYS        SESSIONS  STATE\n"
              "gw1   dialin, office  42        ok\n"
              "gw2   -               0         ok\n"
              "gw3   -               0         ok\n"
              "move: office from gw1 to gw2, 2 sessions\n"
              "nothing was done; `vpnha rebalance --yes` makes the moves\n");
    EXPECT_THAT(ordered_, IsEmpty());
}

TEST_F(RebalanceTest, WhatIsEvenIsLeftAlone) {
    facts_->status["gateways"][1]["promoted_node"] = 2;
    EXPECT_EQ(run({.yes = true}), ExitCode::ok) << err_.str();
    EXPECT_THAT(out_.str(), HasSubstr("nothing to do"));
    EXPECT_THAT(ordered_, IsEmpty());
}

TEST_F(RebalanceTest, EachMoveIsASwitchover) {
    facts_->status["gateways"].push_back(gateway_of("third", 1, 7));
    EXPECT_EQ(run({.yes = true}), ExitCode::ok) << err_.str();
    EXPECT_THAT(ordered_, ElementsAre("office to gw2", "third to gw3"));
    EXPECT_THAT(out_.str(), HasSubstr("move 1 of 2\n"
                                      "gateway office: from gw1 to gw2, 2 sessions\n"
                                      "gw2 calls for the role; Pacemaker decides\n"
                                      "gw2 is promoted\n"
                                      "silent for 12 ms, 2 sessions moved, 0 lost\n"
                                      "all nodes are in sync with it again\n"
                                      "move 2 of 2\n"));
}

TEST_F(RebalanceTest, TheNextMoveWaitsUntilTheFormerHolderIsInSync) {
    objections_[{"office", "gw1"}] = {{Errc::busy, "gw1 is not in sync"}, 3};
    EXPECT_EQ(run({.yes = true}), ExitCode::ok) << err_.str();
    EXPECT_THAT(out_.str(), HasSubstr("all nodes are in sync with it again"));
    EXPECT_GE(paused_, std::chrono::milliseconds(1500));
}

TEST_F(RebalanceTest, ANodeThatDoesNotComeInSyncEndsIt) {
    facts_->status["gateways"].push_back(gateway_of("third", 1, 7));
    objections_[{"office", "gw1"}] = {{Errc::busy, "gw1 is not in sync"}, 1'000'000};
    EXPECT_EQ(run({.yes = true}), ExitCode::unreachable);
    EXPECT_THAT(err_.str(), HasSubstr("not all nodes are in sync with it after 180 s: gw1 is not"));
    EXPECT_THAT(err_.str(), HasSubstr("moves done: office to gw2; not done: third to gw3"));
    EXPECT_THAT(ordered_, ElementsAre("office to gw2"));
}

TEST_F(RebalanceTest, TheFirstFailureEndsItAndIsNamed) {
    facts_->status["gateways"].push_back(gateway_of("third", 1, 7));
    refusals_["third"] = {Errc::busy, "gw3 cannot have gateway third"};
    EXPECT_EQ(run({.yes = true}), ExitCode::failed);
    EXPECT_THAT(err_.str(), HasSubstr("gw3 cannot have gateway third"));
    EXPECT_THAT(err_.str(), HasSubstr("moves done: office to gw2; not done: third to gw3"));
}

TEST_F(RebalanceTest, LostSessionsEndIt) {
    facts_->status["gateways"].push_back(gateway_of("third", 1, 7));
    lost_ = 1;
    EXPECT_EQ(run({.yes = true}), ExitCode::degraded);
    EXPECT_THAT(err_.str(), HasSubstr("stopped, because sessions were lost; moves done: office to "
                                      "gw2; not done: third to gw3"));
}

TEST_F(RebalanceTest, NodesThatCannotHaveAGatewayAreNotedAndLeftOut) {
    objections_[{"office", "gw2"}] = {{Errc::busy, "gw2 cannot have gateway office: why"}, 1};
    facts_->cluster->nodes[2].amiss = "in standby";
    EXPECT_EQ(run({}), ExitCode::ok) << err_.str();
    EXPECT_THAT(out_.str(), HasSubstr("gw3   -               0         in standby\n"));
    EXPECT_THAT(out_.str(), HasSubstr("note: gw2 cannot have gateway office: why\n"));
    EXPECT_THAT(out_.str(), HasSubstr("move: dialin from gw1 to gw2, 40 sessions\n"));
}

TEST_F(RebalanceTest, ANodeWithoutVpnhadIsLeftOut) {
    facts_->status["members"].erase(1);
    EXPECT_EQ(run({}), ExitCode::ok) << err_.str();
    EXPECT_THAT(out_.str(), HasSubstr("no vpnhad answers there\n"));
    EXPECT_THAT(out_.str(), HasSubstr("move: office from gw1 to gw3, 2 sessions\n"));
}

TEST_F(RebalanceTest, AConstraintThatWouldMoveItBackIsNoted) {
    facts_->constraints = {"cli-prefer-dialin overrides the promotion scores"};
    EXPECT_EQ(run({}), ExitCode::ok) << err_.str();
    EXPECT_THAT(out_.str(), HasSubstr("note: cli-prefer-dialin overrides"));
}

TEST_F(RebalanceTest, AGatewayOnANodeInMaintenanceStays) {
    facts_->cluster->nodes[0].amiss = "in maintenance";
    EXPECT_EQ(run({}), ExitCode::ok) << err_.str();
    EXPECT_THAT(out_.str(), HasSubstr("note: gateway dialin stays on gw1"));
    EXPECT_THAT(out_.str(), HasSubstr("nothing to do"));
}

TEST_F(RebalanceTest, AClusterThatMovesNothingIsRefused) {
    const auto refusal = [this](ExitCode code) {
        err_.str("");
        EXPECT_EQ(run({.yes = true}), code);
        EXPECT_THAT(ordered_, IsEmpty());
        return err_.str();
    };
    facts_->status["gateways"][1]["promoted_node"] = nullptr;
    EXPECT_THAT(refusal(ExitCode::failed),
                HasSubstr("no node that is reachable serves gateway of"));
    facts_->status["gateways"][0]["role"] = "detached";
    EXPECT_THAT(refusal(ExitCode::failed), HasSubstr("takes no part in gateway dialin"));
    facts_->cluster->in_maintenance = true;
    EXPECT_THAT(refusal(ExitCode::failed), HasSubstr("maintenance mode"));
    facts_->cluster = fail(Errc::system, "no crm_mon");
    EXPECT_THAT(refusal(ExitCode::unreachable),
                HasSubstr("Pacemaker does not answer (no crm_mon)"));
    facts_->status["quorate"] = false;
    EXPECT_THAT(refusal(ExitCode::failed), HasSubstr("without quorum"));
    facts_ = fail(Errc::unreachable, "no vpnhad answers");
    EXPECT_THAT(refusal(ExitCode::unreachable), HasSubstr("no vpnhad answers"));
}

TEST_F(RebalanceTest, WhoMayNotMoveIsRefused) {
    objections_[{"dialin", "gw2"}] = {{Errc::permission, "for root alone"}, 1};
    EXPECT_EQ(run({}), ExitCode::not_permitted);
    EXPECT_THAT(err_.str(), HasSubstr("for root alone"));
}

TEST_F(RebalanceTest, AsJsonItIsThePlanAndProgressIsNoPartOfIt) {
    EXPECT_EQ(run({.yes = true, .as_json = true}), ExitCode::ok) << err_.str();
    const json view = json::parse(out_.str());
    ASSERT_EQ(view.at("moves").size(), 1U);
    EXPECT_EQ(view.at("moves").at(0), json({{"gateway", "office"},
                                            {"from", "gw1"},
                                            {"to", "gw2"},
                                            {"sessions", 2},
                                            {"state", "moved"}}));
    EXPECT_EQ(view.at("nodes").at(0), json({{"name", "gw1"}, {"amiss", nullptr}}));
    EXPECT_EQ(
        view.at("gateways").at(1),
        json({{"name", "office"}, {"node", "gw1"}, {"standbys", {"gw2", "gw3"}}, {"sessions", 2}}));
    EXPECT_THAT(err_.str(), HasSubstr("gw2 is promoted"));
}

TEST_F(RebalanceTest, AsJsonAMoveThatWasNotMadeIsPlannedOrFailed) {
    facts_->status["gateways"].push_back(gateway_of("third", 1, 7));
    refusals_["office"] = {Errc::busy, "gw2 cannot have it"};
    EXPECT_EQ(run({.yes = true, .as_json = true}), ExitCode::failed);
    const json moves = json::parse(out_.str()).at("moves");
    EXPECT_EQ(moves.at(0).at("state"), "failed");
    EXPECT_EQ(moves.at(1).at("state"), "planned");
}

}  // namespace rebalance_test
}  // namespace vpnha::cli::rebalance
