// SPDX-License-Identifier: GPL-2.0-or-later
// What a node answers has the members, and the types, of the examples in
// docs/reference/control-protocol.md.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/views/gate_view.hpp"
#include "daemon/views/move_view.hpp"
#include "daemon/views/plan_view.hpp"
#include "daemon/views/views.hpp"
#include "protocols/ipsec/backend/ipsec.hpp"
#include "protocols/ipsec/work.hpp"
#include "protocols/pptp/backend/pptp.hpp"
#include "services/bandwidth/backend/bandwidth.hpp"
#include "services/flows/backend/flow_backend.hpp"
#include "services/scripts/backend/scripts.hpp"
#include "support/documented.hpp"
#include "unit/cluster/node/fake_cluster.hpp"
#include "unit/cluster/node/sample_session.hpp"
#include "unit/host/gate/gate_host.hpp"

namespace vpnha::runtime {
namespace contract_test {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Differences = std::vector<std::string>;

void compare(const json& example, const json& answer, const std::string& place,
             Differences& differences);

// Some members are there of some elements only: each answered one has to be like one example.
void compare_elements(const json& examples, const json& answers, const std::string& place,
                      Differences& differences) {
    for (const json& answer : answers) {
        Differences fewest;
        for (std::size_t i = 0; i < examples.size(); ++i) {
            Differences found;
            compare(examples[i], answer, place + "[]", found);
            fewest = i == 0 || found.size() < fewest.size() ? found : fewest;
        }
        differences.insert(differences.end(), fewest.begin(), fewest.end());
    }
}

// Null stands for a value of any type.
void compare(const json& example, const json& answer, const std::string& place,
             Differences& differences) {
    if (example.is_null() || answer.is_null()) {
        return;
    }
    if (example.is_number() && answer.is_number()) {
        return;
    }
    if (example.type() != answer.type()) {
        differences.push_back(place + " is " + answer.type_name());
    } else if (example.is_array()) {
        compare_elements(example, answer, place, differences);
    } else if (example.is_object()) {
        for (const auto& [name, value] : example.items()) {
            if (answer.contains(name)) {
                compare(value, answer[name], place + "/" + name, differences);
            } else {
                differences.push_back(place + "/" + name + " is not answered");
            }
        }
        for (const auto& [name, value] : answer.items()) {
            if (!example.contains(name)) {
                differences.push_back(place + "/" + name + " is not documented");
            }
        }
    }
}

Differences between(const json& example, const json& answer) {
    Differences differences;
    compare(example, answer, "", differences);
    return differences;
}

struct OpenGate final : ports::Gate {
    Result<void> attach(GatewayId) override { return {}; }
    Result<void> open_until(GatewayId, TimePoint) override { return {}; }
    Result<void> shut(GatewayId) override { return {}; }
    Result<void> leave(GatewayId, const ports::GateLeave&) override { return {}; }
    Result<void> hold(GatewayId, const ports::GateHold&) override { return {}; }
    Result<void> release(GatewayId, ports::HoldQueue) override { return {}; }
    Result<void> hold_esp(GatewayId, const std::vector<std::uint32_t>&, bool) override {
        return {};
    }
    Result<void> drain(GatewayId, bool) override { return {}; }
    Result<std::optional<TimePoint>> deadline(GatewayId) const override { return TimePoint::max(); }
    Result<ports::GateCounters> counters(GatewayId) const override { return ports::GateCounters{}; }
};

// A charon that has nothing to do.
struct IdleCharon final : node::FakeIpsec {
    explicit IdleCharon(node::FakeCluster& cluster) : cluster_(cluster) {}
    void proceed(std::uint32_t) override {}
    effects::Effects execute(std::uint32_t node, node::IpsecWork& work) override {
        const auto* const turn = std::get_if<node::TurnCharon>(&work);
        return turn == nullptr
                   ? effects::Effects{}
                   : cluster_.at(node).node->on_event(
                         node::kGateway, node::CharonTurned{turn->active}, cluster_.now());
    }
    node::FakeCluster& cluster_;
};

// What those show that need a kernel.
struct KernelBackends final : ports::Backend {
    bool execute(effects::ProtocolWork&) override { return false; }
    [[nodiscard]] Status status() const override {
        Status all = call_status({}, 0, 0);
        all.merge(table_status({}));
        return all;
    }
    [[nodiscard]] Status status_of(GatewayId) const override {
        Status all = relay_status({}, "");
        all.emplace("records/waiting_installs", std::uint64_t{0});
        return all;
    }
};

// A promoted node of three with a session, of which another one is set up otherwise.
class ContractTest : public ::testing::Test {
  protected:
    void SetUp() override {
        cluster_.set_ipsec(&charon_);
        cluster_.have_wireguard();
        cluster_.have_pptp();
        cluster_.account_settings().on = true;
        for (const std::uint32_t node : {1U, 2U, 3U}) {
            cluster_.kill(node);
        }
        for (const std::uint32_t node : {1U, 2U, 3U}) {
            cluster_.start(node);
        }
        ASSERT_TRUE(cluster_.promote(1));
        l2tp::SessionRecord record = node::session(1);
        record.facts.rate = {20'000'000, 5'000'000};
        cluster_.run(
            1, node().on_plugin_up(1, "l2tp", node::stock_session(record), "", cluster_.now()));
        cluster_.pass(std::chrono::seconds(2));
    }
    node::Node& node() { return *cluster_.at(1).node; }
    // As daemon/requests.cpp puts it together.
    json sessions(const std::vector<StraySession>& strays) {
        SessionList list;
        for (const auto& [id, gateway] : node().gateways()) {
            for (const keepers::SessionView& session : gateway.cores().keepers.sessions()) {
                list.add(session_row(node(), gateway, session));
            }
        }
        for (const StraySession& stray : strays) {
            list.add(stray_row(node(), stray));
        }
        std::string text;
        for (const std::string& piece : std::move(list).take()) {
            text += piece;
        }
        return json::parse(text);
    }
    json status() { return status_of(node()); }
    json status_of(const node::Node& node) {
        SessionCounts counts;
        for (const keepers::SessionView& session :
             node.find(node::kGateway)->cores().keepers.sessions()) {
            counts.add(session);
        }
        return status_view(
            node, {.version = "1.2.3",
                   .gate = gate_,
                   .now = cluster_.now(),
                   .quorum = {},
                   .sessions = {{node::kGateway, counts}},
                   .unencrypted_because = "",
                   .restart = {},
                   .admissions = admissions_,
                   .routing = [](GatewayId) { return std::vector<std::string>{"table 1001"}; },
                   .backends = backends_,
                   .authorizations = authorizations_,
                   .lease = {}});
    }

    node::FakeCluster cluster_{3};
    IdleCharon charon_{cluster_};
    adapters::QbLoop loop_;
    FlowBackend flows_{loop_, *cluster_.at(1).node, nullptr, [](const effects::Effects&) {}};
    Scripts scripts_{loop_, [](const wire::RecordKey&) { return std::string(); }};
    Bandwidth bandwidth_{loop_, [](const wire::RecordKey&) { return std::string(); }, nullptr};
    KernelBackends others_;
    std::vector<ports::Backend*> backends_{&flows_, &scripts_, &bandwidth_, &others_};
    adapters::AuthorizationCounters authorization_;
    std::vector<const adapters::AuthorizationCounters*> authorizations_{&authorization_};
    OpenGate gate_;
    Admission admission_{config::Admission{}};
    std::vector<const Admission*> admissions_{&admission_};
};

// A backend with a number.
struct CountingBackend final : ports::Backend {
    bool execute(effects::ProtocolWork&) override { return false; }
    [[nodiscard]] Status status() const override {
        return {{"counters/pptp_resets", std::uint64_t{2}}};
    }
};

TEST_F(ContractTest, WhatEachNetworkNamespaceHasIsShownTogether) {
    Admission closed{config::Admission{}};
    ASSERT_TRUE(closed.on_load({.memory = 99.0}));
    admissions_.push_back(&closed);
    adapters::AuthorizationCounters others;
    others.acks = 3;
    authorization_.acks = 4;
    authorizations_.push_back(&others);
    CountingBackend one;
    CountingBackend two;
    backends_.insert(backends_.end(), {&one, &two});
    const json all = status();
    EXPECT_EQ(all["admission"]["closed"], true);
    EXPECT_THAT(all["admission"]["causes"], ElementsAre("memory"));
    EXPECT_EQ(all["dynamic_authorization"]["acks"], 7);
    EXPECT_EQ(all["counters"]["pptp_resets"], 4);
}

TEST_F(ContractTest, StatusIsAsDocumented) {
    json example = documented("status");
    // The example leaves out what is summed up.
    for (const auto& [name, value] : example["gateways"][0]["counters"].items()) {
        example["counters"][name] = value;
    }
    EXPECT_THAT(between(example, status()), IsEmpty());
}

TEST_F(ContractTest, AStandbyIsOneOfThoseThatCouldTakeOver) {
    cluster_.kill(3);
    cluster_.pass(std::chrono::seconds(2));
    EXPECT_THAT(status()["gateways"][0]["standbys"], ElementsAre(2));
    EXPECT_THAT(status_of(*cluster_.at(2).node)["gateways"][0]["standbys"], ElementsAre(2));
}

TEST_F(ContractTest, SessionsAreAsDocumented) {
    EXPECT_THAT(between(documented("sessions"), sessions({})), IsEmpty());
    cluster_.kill(2);
    cluster_.kill(3);
    cluster_.pass(std::chrono::seconds(2));
    const json alone = sessions({});
    EXPECT_EQ(alone["sessions"][0]["state"], "unprotected");
    EXPECT_THAT(between(documented("sessions"), alone), IsEmpty());
}

TEST_F(ContractTest, ASessionThatNoGatewayKeepsIsShownWithItsReason) {
    const std::vector<StraySession> strays{{"l2tp", "bob", "10.0.0.1", "ppp7", {}, "one"},
                                           {"", "", "", "", {}, "two"}};
    const json all = sessions(strays);
    ASSERT_EQ(all["sessions"].size(), 3U);
    EXPECT_EQ(all["sessions"][1]["state"], "unprotected");
    EXPECT_EQ(all["sessions"][1]["reason"], "one");
    EXPECT_EQ(all["sessions"][1]["owner"], 1);
}

TEST_F(ContractTest, PlanIsAsDocumented) {
    EXPECT_THAT(between(documented("plan"), plan_view(node(), std::nullopt, std::nullopt)),
                IsEmpty());
}

TEST_F(ContractTest, PeersAreAsDocumented) {
    const wire::Setup other{node::kGateway, {{"pools", wire::Weight::session, 7}}};
    cluster_.run(2, cluster_.at(2).node->set_setups({other}, cluster_.now()));
    cluster_.pass(std::chrono::seconds(1));
    const json peers{{"members", peers_view(node())}, {"differences", differences_view(node())}};
    EXPECT_FALSE(peers["differences"].empty());
    EXPECT_THAT(between(documented("peers"), peers), IsEmpty());
}

TEST_F(ContractTest, SwitchoverIsAsDocumented) {
    const node::GatewayNode& gateway = *node().find(node::kGateway);
    const Result<node::MovePlan> plan = gateway.moves().plan(NodeId{2});
    ASSERT_TRUE(plan) << plan.error().detail;
    const json asked = move_view(gateway, *plan, "asked");
    EXPECT_EQ(asked["from"]["name"], "gw1");
    EXPECT_EQ(asked["sessions"], 1);
    EXPECT_THAT(between(documented("switchover"), asked), IsEmpty());
    cluster_.run(1, node().ask_move(node::kGateway, *plan, cluster_.now()));
    ASSERT_TRUE(cluster_.begin_demote(1));
    ASSERT_TRUE(cluster_.promote(2));
    cluster_.pass(std::chrono::seconds(1));
    const json moved = moved_view(gateway, to_string(plan->epoch));
    EXPECT_EQ(moved["to"]["id"], 2);
    EXPECT_EQ(moved["moved"], 1);
    EXPECT_EQ(moved["lost"], 0);
    EXPECT_TRUE(moved["silence_ms"].is_number());
    EXPECT_THAT(between(documented("switchover"), moved), IsEmpty());
}

class GateContractTest : public adapters::GateHost {};

TEST_F(GateContractTest, GateIsAsDocumented) {
    const adapters::BpfGate gate = attached();
    const auto answer = gate_view(config_, gate, adapters::boot_time());
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_THAT(between(documented("gate"), *answer), IsEmpty());
}

TEST(ContractComparisonTest, SeesWhatIsMissingWhatIsNewAndWhatIsOfAnotherType) {
    const json example = json::parse(R"({"a": 1, "b": [{"c": "x"}, {"d": 2}], "e": null})");
    EXPECT_THAT(between(example, json::parse(R"({"a": 7.5, "b": [], "e": {}})")), IsEmpty());
    EXPECT_THAT(between(example, json::parse(R"({"a": 7, "b": [{"d": 1}], "e": 1})")), IsEmpty());
    EXPECT_THAT(between(example, json::parse(R"({"a": "1", "b": [{"c": 1}], "f": 1})")),
                ElementsAre("/a is string", "/b[]/c is number", "/e is not answered",
                            "/f is not documented"));
}

}  // namespace contract_test
}  // namespace vpnha::runtime
