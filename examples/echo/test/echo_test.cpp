// SPDX-License-Identifier: GPL-2.0-or-later
// The toy protocol of CONTRIBUTING.md, in a program whose lists have it.
#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "echo/fake/fake_responder.hpp"
#include "echo/keeper/echo_sessions.hpp"
#include "echo/service/echo_service.hpp"
#include "echo/table.hpp"
#include "protocols/families.hpp"
#include "protocols/gateway_services.hpp"
#include "protocols/tables.hpp"
#include "support/temporary_path.hpp"
#include "unit/cluster/node/fake_gateway.hpp"
#include "unit/config/sample.hpp"

namespace vpnha::echo {
namespace echo_test {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

constexpr GatewayId kGateway{1};
const std::string kTable = config::kSample + "[gateway.dialin.echo]\n";

Table table_of(const std::string& toml) {
    const auto config = config::parse(toml, "vpnha.toml");
    EXPECT_TRUE(config) << config.error().detail;
    const Table* const table = config ? config->gateways.front().protocols.get<Table>() : nullptr;
    return table == nullptr ? Table{0, 0} : *table;
}

TEST(EchoTableTest, ItsKeysAreThoseOfVpnhaToml) {
    EXPECT_EQ(table_of(config::kSample).port, 0);
    EXPECT_EQ(table_of(kTable).port, 7007);
    EXPECT_EQ(table_of(kTable + "port = 7\nanswers_per_second = 5\n").answers_per_second, 5U);
    EXPECT_THAT(config::error_of(kTable + "answers_per_second = 2001\n"), HasSubstr("2000"));
    EXPECT_THAT(config::error_of(kTable + "size = 1\n"), HasSubstr("size"));
    EXPECT_THAT(config::error_of(kTable + "port = 1701\n"),
                HasSubstr("1701 is the port of the gateway's tunnels"));
}

TEST(EchoTableTest, TheGateKnowsWhatOpensASession) {
    Table table;
    table.port = 7;
    const std::vector<config::GateRule> rules = table.facts().gate_rules;
    ASSERT_EQ(rules.size(), 1U);
    EXPECT_EQ(rules.front().kind, config::GateRule::Kind::begins);
    EXPECT_EQ(rules.front().port, 7);
    ASSERT_EQ(rules.front().words.size(), 1U);
    EXPECT_EQ(rules.front().words.front().value, 0x4f00'0000U);
}

TEST(EchoTableTest, EachListHasIt) {
    std::vector<std::string> metrics;
    std::ranges::transform(protocol_metrics(), std::back_inserter(metrics), &MetricRow::name);
    EXPECT_THAT(metrics, Contains("vpnha_echo_sessions"));
    EXPECT_THAT(metrics, Contains("vpnha_pptp_resets_total"));
    EXPECT_TRUE(std::ranges::any_of(tuning::table(),
                                    [](const tuning::Row& row) { return row.need == "echo"; }));
    EXPECT_TRUE(config::schema().find(Table::kProtocol.section, "port") != nullptr);
}

class EchoDaemonTest : public ::testing::Test {
  protected:
    ~EchoDaemonTest() override { static_cast<void>(service().stop()); }
    static adapters::StockService service() {
        return {*stock_kind(), "dialin", temporary_path("echod")};
    }
};

TEST_F(EchoDaemonTest, ItStartsAndEndsAsEachStockDaemonOfAGateway) {
    std::vector<std::string> names;
    for (const adapters::StockService& each : adapters::gateway_services("dialin")) {
        names.emplace_back(each.kind().name);
    }
    EXPECT_THAT(names, UnorderedElementsAre("xl2tpd", "pptpd", "charon", "echod"));
    using State = adapters::StockService::State;
    ASSERT_TRUE(service().start(plan_echod({"/bin/sh", "-c", "kill -STOP $$"})));
    EXPECT_EQ(service().status().value(), State::running);
    ASSERT_TRUE(service().stop());
    EXPECT_EQ(service().status().value(), State::stopped);
}

// A gateway's keeper on one node, and its responder.
class Node final : public keepers::FakeGateway {
  public:
    explicit Node(std::uint32_t node)
        : FakeGateway(kGateway, NodeId{node}), keeper_(make(*this)), responder_(node, ports()) {}

    void promote(std::uint64_t epoch) {
        replica().on_members({NodeId{1}}, true, now_);
        static_cast<void>(replica().begin_epoch({epoch, NodeId{1}}, now_));
        keeper_->on_open(now_, effects_);
        keeper_->promote(now_, effects_);
        run();
    }
    // As a record of a node that died under that epoch, which was told `next` of it.
    void warm(const keepers::Margin& margin) {
        keeper_->counted()->warm(margin, now_, effects_);
        EXPECT_FALSE(keeper_->counted()->is_warm());
        run();
        EXPECT_TRUE(keeper_->counted()->is_warm());
    }
    void read() {
        now_ += std::chrono::seconds(1);
        keeper_->on_time(now_, effects_);
        run();
    }
    // The end of a planned move asks while a reading is under way. `between`: what happens between
    // the two answers.
    void read_twice(const std::function<void()>& between) {
        now_ += std::chrono::seconds(1);
        keeper_->on_time(now_, effects_);
        carry_out();
        keeper_->counted()->read(now_, effects_);
        responder_.deliver();
        waiting_ = 0;
        between();
        run();
    }
    void end_all() {
        for (const auto& [id, next] : std::map(numbers_)) {
            notify(Closed{id});
        }
        run();
    }

    [[nodiscard]] keepers::Keeper& keeper() { return *keeper_; }
    [[nodiscard]] Numbers& numbers() { return numbers_; }

  private:
    static std::unique_ptr<keepers::Keeper> make(keepers::Gateway& gateway) {
        keepers::Settings settings;
        settings.protocols.serve<Table>();
        std::unique_ptr<keepers::Keeper> keeper = families().front().make(gateway, settings);
        EXPECT_EQ(families().front().make(gateway, {}), nullptr);
        return keeper;
    }
    FakeResponder::Ports ports() {
        return {.wake = [this] { ++waiting_; },
                .notify = [this](GatewayId, const Event& event) { notify(event); },
                .read = [this](GatewayId) { return numbers_; },
                .set = [this](GatewayId, SessionId id, std::uint64_t next) { numbers_[id] = next; },
                .drop = [this](GatewayId, SessionId id) { numbers_.erase(id); }};
    }
    void notify(const Event& event) {
        keeper_->on_event(effects::KeeperEvent(event), now_, effects_);
    }
    void run() {
        do {
            for (; waiting_ > 0; --waiting_) {
                responder_.deliver();
            }
            carry_out();
        } while (waiting_ > 0);
    }
    void carry_out() {
        for (const effects::Effect& effect : std::exchange(effects_, {})) {
            if (const auto* const work = effects::find<GatewayWork>(effect)) {
                responder_.execute(*work);
            }
        }
    }

    TimePoint now_ = TimePoint{} + std::chrono::seconds(100);
    effects::Effects effects_;
    int waiting_ = 0;  // What the responder has to tell.
    Numbers numbers_;
    std::unique_ptr<keepers::Keeper> keeper_;
    FakeResponder responder_;
};

TEST(EchoSessionsTest, ASessionAndItsNumberAreRecords) {
    Node node(1);
    node.promote(1);
    ASSERT_EQ(node.numbers().size(), 1U);
    const SessionId id = node.numbers().begin()->first;
    node.numbers()[id] = 70;
    node.read();
    const auto* const record = node.replica().store().find(number_key(id));
    ASSERT_NE(record, nullptr);
    EXPECT_EQ(parse_number(record->payload).value(), 70U);
    EXPECT_EQ(node.keeper().sessions({}).front().protocol, "echo");
    const Status status = node.keeper().status({});
    EXPECT_EQ(std::get<std::uint64_t>(status.at("echo/sessions")), 1U);
    node.end_all();
    EXPECT_EQ(node.keeper().session_totals().all, 0U);
}

TEST(EchoSessionsTest, AnAnswerToAnEarlierQuestionIsNoneToALaterOne) {
    Node node(1);
    node.promote(1);
    const SessionId id = node.numbers().begin()->first;
    const TimePoint before = node.keeper().counted()->read_at();
    node.read_twice([&] {
        EXPECT_EQ(node.keeper().counted()->read_at(), before);
        node.numbers()[id] = 70;
    });
    EXPECT_GT(node.keeper().counted()->read_at(), before);
    EXPECT_EQ(parse_number(node.replica().store().find(number_key(id))->payload).value(), 70U);
}

TEST(EchoSessionsTest, ANumberContinuesBeyondWhatMayHaveBeenUsed) {
    Node node(1);
    node.promote(1);
    const SessionId id = node.numbers().begin()->first;
    node.numbers()[id] = 70;
    node.read();
    node.warm({.granted = {2, NodeId{1}}, .run_on = std::chrono::seconds(1)});
    EXPECT_GE(node.numbers().at(id), 70U + kAnswersPerSecondMax);
    // Of exact records none is left out.
    node.numbers()[id] = 9'000;
    node.read();
    node.warm({.granted = {3, NodeId{1}}, .run_on = Duration{}});
    EXPECT_EQ(node.numbers().at(id), 9'000U);
}

}  // namespace echo_test
}  // namespace vpnha::echo
