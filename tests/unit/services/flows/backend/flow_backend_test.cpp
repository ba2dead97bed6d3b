// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/backend/flow_backend.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/syscall.h>

#include <cerrno>

#include "base/limits.hpp"
#include "support/expectation_builder.hpp"
#include "support/failing_call.hpp"

namespace vpnha::runtime {
namespace flow_backend_test {

using conntrack::FlowKey;
using test::nat_tcp_flow;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr GatewayId kGateway{1};
constexpr GatewayId kOther{2};

// Remembers what it was asked for, in order.
struct FakeTable final : ports::FlowTable {
    explicit FakeTable(std::vector<std::string>& notified) : asked(notified) {}

    Result<std::vector<bool>> install(Flows flows, conntrack::Live live) override {
        asked.push_back(
            fmt::format("{} {}", live == conntrack::Live::stays ? "add" : "install", flows.size()));
        hot_s = flows.front().timeout_s;
        if (broken) {
            return fail(Errc::system, "no memory");
        }
        return std::vector<bool>(flows.size(), true);
    }
    Result<std::vector<bool>> set_timeouts(std::span<const conntrack::Timeout> timeouts) override {
        asked.push_back(fmt::format("set {}", timeouts.size()));
        return std::vector<bool>(timeouts.size(), true);
    }
    Result<void> remove(std::span<const FlowKey> keys) override {
        asked.push_back(fmt::format("remove {}", keys.size()));
        return {};
    }
    [[nodiscard]] Result<std::optional<conntrack::Flow>> find(const FlowKey&) override {
        asked.emplace_back("find");
        return std::nullopt;
    }
    Result<std::vector<bool>> install_expectations(
        std::span<const conntrack::Expectation> expectations) override {
        asked.push_back(fmt::format("expect {}", expectations.size()));
        return std::vector<bool>(expectations.size(), true);
    }
    Result<std::vector<bool>> set_expectation_timeouts(
        std::span<const conntrack::Timeout> timeouts) override {
        asked.push_back(fmt::format("set expected {}", timeouts.size()));
        return std::vector<bool>(timeouts.size(), false);
    }
    Result<void> remove_expectations(std::span<const FlowKey> keys) override {
        asked.push_back(fmt::format("no longer expect {}", keys.size()));
        return {};
    }
    [[nodiscard]] Result<std::vector<conntrack::Expectation>> list_expectations() override {
        asked.emplace_back("list expected");
        return std::vector<conntrack::Expectation>{};
    }
    [[nodiscard]] const Counters& counters() const override { return none; }

    std::vector<std::string>& asked;
    Counters none;
    std::uint32_t hot_s = 0;
    bool broken = false;
};

class FlowBackendTest : public ::testing::Test {
  protected:
    static node::Settings settings() {
        node::Settings settings;
        settings.self = NodeId{1};
        node::GatewaySettings gateway;
        gateway.id = kGateway;
        gateway.name = "l2tp";
        gateway.lease.self = {NodeId{1}, {}, lease::Instance{1}};
        gateway.lease.voters = {NodeId{1}};
        settings.gateways = {gateway, gateway};
        settings.gateways.back().id = kOther;
        return settings;
    }
    static std::vector<conntrack::Wanted> wanted(std::uint16_t count) {
        std::vector<conntrack::Wanted> flows;
        for (std::uint16_t port = 1; port <= count; ++port) {
            flows.push_back({port, nat_tcp_flow(port)});
        }
        return flows;
    }

    void order(effects::ProtocolWork work) { EXPECT_TRUE(keeper_.execute(work)); }

    std::vector<std::string> asked_;
    std::unique_ptr<FakeTable> owned_ = std::make_unique<FakeTable>(asked_);
    FakeTable* table_ = owned_.get();
    adapters::QbLoop loop_;
    node::Node node_{settings()};
    int answers_ = 0;
    FlowBackend keeper_{loop_, node_, std::move(owned_), [this](const auto&) { ++answers_; }};
};

TEST_F(FlowBackendTest, WorkIsDoneInTrainsAndInOrder) {
    order(node::InstallFlows{kGateway, wanted(300)});
    order(node::RemoveFlows{kGateway, {nat_tcp_flow(1).key}});
    order(node::SetFlowTimeouts{kGateway, {{nat_tcp_flow(2).key, 60}}});
    EXPECT_THAT(asked_, IsEmpty()) << "the loop's turn comes first";
    EXPECT_EQ(keeper_.waiting(kGateway), 302U);
    loop_.set_timer(1'000, loop_.now() + std::chrono::milliseconds(200), [this] { loop_.stop(); });
    loop_.run();
    EXPECT_THAT(asked_, ElementsAre("install 256", "install 44", "remove 1", "set 1"));
    EXPECT_EQ(keeper_.waiting(kGateway), 0U);
    EXPECT_EQ(answers_, 2);
    EXPECT_EQ(table_->hot_s, 7U * 24 * 3600);
}

// A standby's week for a flow that has ended since would never be taken back.
TEST_F(FlowBackendTest, TimeoutsOfTheRoleBeforeAreGivenUp) {
    order(node::InstallFlows{kGateway, wanted(3)});
    order(node::SetFlowTimeouts{kGateway, {{nat_tcp_flow(1).key, 60}, {nat_tcp_flow(2).key, 60}}});
    order(node::SetFlowTimeouts{kOther, {{nat_tcp_flow(3).key, 60}}});
    order(node::UnwatchFlows{kGateway});
    EXPECT_EQ(keeper_.waiting(kGateway), 3U);
    keeper_.finish();
    EXPECT_THAT(asked_, ElementsAre("install 3", "set 1"));
    EXPECT_EQ(keeper_.waiting(kGateway), 0U);
}

// Asked for by a standby, done after its promotion: packets may have changed the flow since.
TEST_F(FlowBackendTest, WhatIsInstalledAfterAPromotionChangesNoLiveFlow) {
    order(node::InstallFlows{kGateway, wanted(3)});
    order(node::WatchFlows{kGateway, {}});
    keeper_.finish();
    EXPECT_THAT(asked_, ElementsAre("add 3"));
}

TEST_F(FlowBackendTest, AllIsDoneWhenItHasFinished) {
    order(node::InstallFlows{kGateway, wanted(1'000)});
    keeper_.finish();
    EXPECT_EQ(asked_.size(), 4U);
    EXPECT_EQ(keeper_.waiting(kGateway), 0U);
}

// Without a socket no listing begins.
TEST_F(FlowBackendTest, EachGatewayIsNotifiedThatItsListingCouldNotBegin) {
    ASSERT_TRUE(run_with_failing_call(SYS_socket, EMFILE, [this] {
        order(node::ListFlows{kGateway});
        order(node::ListFlows{kOther});
    }));
    loop_.set_timer(1'000, loop_.now() + std::chrono::milliseconds(20), [this] { loop_.stop(); });
    loop_.run();
    EXPECT_EQ(answers_, 2);
}

// Between clients of two gateways: 203.0.113.9 is one of the second one's.
class SharedFlowsTest : public FlowBackendTest {
  protected:
    SharedFlowsTest() {
        other_.nets = {{test::address("203.0.113.0"), 24}};
        separate_.key.original.destination = test::address("203.0.114.9");
        separate_.reply.source = separate_.key.original.destination;
    }
    void work_on_both() {
        order(node::InstallFlows{kGateway, {{1, nat_tcp_flow()}, {2, separate_}}});
        order(node::SetFlowTimeouts{kGateway, {{nat_tcp_flow().key, 60}, {separate_.key, 60}}});
        order(node::RemoveFlows{kGateway, {nat_tcp_flow().key, separate_.key}});
        keeper_.finish();
    }

    conntrack::Policy other_;
    conntrack::Flow separate_ = nat_tcp_flow(40'001);
};

TEST_F(SharedFlowsTest, AreLeftToTheGatewayThatThisNodeServes) {
    order(node::WatchFlows{kOther, other_});
    work_on_both();
    EXPECT_THAT(asked_, ElementsAre("install 1", "set 1", "remove 1"));
    asked_.clear();
    order(node::InstallFlows{kGateway, {{1, nat_tcp_flow()}}});
    keeper_.finish();
    EXPECT_THAT(asked_, IsEmpty());
    EXPECT_EQ(answers_, 2) << "the kernel has them by itself";
}

TEST_F(SharedFlowsTest, AreBothGatewaysWhereThisNodeServesBothOrNeither) {
    work_on_both();
    EXPECT_THAT(asked_, ElementsAre("install 2", "set 2", "remove 2"));
    asked_.clear();
    order(node::WatchFlows{kOther, other_});
    order(node::WatchFlows{kGateway, {}});
    work_on_both();
    EXPECT_THAT(asked_, ElementsAre("add 2", "set 2", "remove 2"));
    asked_.clear();
    order(node::UnwatchFlows{kGateway});
    order(node::UnwatchFlows{kOther});
    work_on_both();
    EXPECT_THAT(asked_, ElementsAre("install 2", "set 2", "remove 2"));
}

TEST_F(SharedFlowsTest, AFlowThatIsDistinguishedByItsMarkIsNotShared) {
    other_.mark = 2;
    other_.mark_mask = 0xff;
    order(node::WatchFlows{kOther, other_});
    work_on_both();
    EXPECT_THAT(asked_, ElementsAre("install 2", "set 2", "remove 2"));
    asked_.clear();
    conntrack::Flow marked = nat_tcp_flow();
    marked.mark = 2;
    order(node::InstallFlows{kGateway, {{1, marked}}});
    keeper_.finish();
    EXPECT_THAT(asked_, IsEmpty());
}

TEST_F(FlowBackendTest, ATableThatFailsRefuses) {
    table_->broken = true;
    order(node::InstallFlows{kGateway, wanted(1)});
    keeper_.finish();
    EXPECT_EQ(answers_, 1);
}

TEST_F(FlowBackendTest, WhatIsNotThereHasEnded) {
    order(node::LookUpFlows{kGateway, {nat_tcp_flow(1).key}});
    keeper_.finish();
    EXPECT_THAT(asked_, ElementsAre("find"));
    EXPECT_EQ(answers_, 1);
}

TEST_F(FlowBackendTest, WhatHelpersExpectComesBehindTheFlowsItWasAskedBehind) {
    const conntrack::Expectation expected = test::ftp_expectation();
    order(node::InstallFlows{kGateway, wanted(1)});
    order(node::InstallExpectations{kGateway, {{1, expected}}});
    order(node::SetExpectationTimeouts{kGateway, {{expected.key, 60}}});
    order(node::ListExpectations{kGateway});
    order(node::RemoveExpectations{kGateway, {expected.key}});
    EXPECT_EQ(keeper_.waiting(kGateway), 4U);
    keeper_.finish();
    EXPECT_THAT(asked_, ElementsAre("install 1", "expect 1", "set expected 1", "list expected",
                                    "no longer expect 1"));
    EXPECT_EQ(answers_, 4) << "two installations, what is missing, the table";
}

}  // namespace flow_backend_test
}  // namespace vpnha::runtime
