// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/executor.hpp"

#include <gtest/gtest.h>

#include "support/no_ports.hpp"

namespace vpnha::runtime {
namespace {

constexpr GatewayId kGateway{1};
constexpr GatewayId kOther{2};

struct NoGate final : ports::Gate {
    Result<void> attach(GatewayId) override { return {}; }
    Result<void> open_until(GatewayId, TimePoint) override { return {}; }
    Result<void> shut(GatewayId) override { return {}; }
    [[nodiscard]] Result<std::optional<TimePoint>> deadline(GatewayId) const override {
        return std::nullopt;
    }
    [[nodiscard]] Result<ports::GateCounters> counters(GatewayId) const override {
        return ports::GateCounters{};
    }
};
struct NoLeases final : ports::Leases {
    [[nodiscard]] Result<std::optional<lease::Durable>> load(GatewayId) const override {
        return std::nullopt;
    }
    Result<void> save(GatewayId, const lease::Durable&) override { return {}; }
};
struct NoLeaseLinks final : ports::LeaseLinks {
    void send(GatewayId, NodeId, const lease::Message&) override {}
};
struct CountingFlows final : test::NoFlows {
    void finish() override { ++finished; }

    int finished = 0;
};

class ExecutorTest : public ::testing::Test {
  protected:
    static node::Settings settings() {
        node::Settings settings;
        settings.self = NodeId{1};
        for (const GatewayId id : {kGateway, kOther}) {
            node::GatewaySettings& gateway = settings.gateways.emplace_back();
            gateway.id = id;
            gateway.lease.self = {NodeId{1}, {}, lease::Instance{1}};
            gateway.lease.voters = {NodeId{1}};
        }
        return settings;
    }

    adapters::QbLoop loop_;
    node::Node node_{settings()};
    NoGate gate_;
    test::NoNetwork network_;
    test::NoNeighbours neighbours_;
    test::NoServices services_;
    test::NoSessions kernel_;
    CountingFlows flows_;
    NoLeases leases_;
    NoLeaseLinks lease_links_;
    int idle_ = 0;
    Executor executor_{
        loop_,
        node_,
        {gate_, network_, neighbours_, services_, kernel_, flows_, leases_, lease_links_},
        {.request = [](const node::AnswerRequest&) {},
         .plugin = {},
         .score = [](const node::WriteScore&) {},
         .idle = [this] { ++idle_; },
         .fenced = {},
         .broken = {}}};
};

// Hundreds of thousands of flows take longer than a lease.
TEST_F(ExecutorTest, AGatewayThatIsDetachedHoldsUpNoOtherForItsFlows) {
    executor_.run(node_.attach(1, kOther, "checkpoint", loop_.now()));
    executor_.run({node::Detached{kGateway}});
    EXPECT_EQ(flows_.finished, 0);
    EXPECT_EQ(idle_, 0);
}

TEST_F(ExecutorTest, WithTheLastOneAllIsDoneBeforeTheEnd) {
    executor_.run({node::Detached{kGateway}});
    EXPECT_EQ(flows_.finished, 1);
    EXPECT_EQ(idle_, 1);
}

}  // namespace
}  // namespace vpnha::runtime
