// SPDX-License-Identifier: GPL-2.0-or-later
// Three whole nodes with two gateways: which standby serves for a node that is lost.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cluster/effects/run_effects.hpp"
#include "cluster/node/node.hpp"

namespace vpnha::node {
namespace node_apart_test {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr GatewayId kA{1};
constexpr GatewayId kB{2};
// A promise, the questions, and a bit; less than the second in rank waits.
constexpr Duration kStandInTime = milliseconds(363);

class TwoGatewaysTest : public ::testing::Test {
  protected:
    TwoGatewaysTest() {
        for (const std::uint32_t id : {1U, 2U, 3U}) {
            Settings settings;
            settings.self = NodeId{id};
            settings.instance = id;
            settings.families = {};  // Their records are another matter.
            for (const GatewayId gateway : {kA, kB}) {
                settings.gateways.push_back(settings_of(gateway, id));
            }
            nodes_[NodeId{id}] = std::make_unique<Node>(std::move(settings));
        }
        for (const auto& [id, node] : nodes_) {
            run(id, node->on_members({NodeId{1}, NodeId{2}, NodeId{3}}, true, now_));
        }
        for (const auto& [id, node] : nodes_) {
            for (const GatewayId gateway : {kA, kB}) {
                run(id, node->attach(1, gateway, "checkpoint", now_));
            }
        }
    }

    const GatewayNode& at(std::uint32_t id, GatewayId gateway) {
        return *nodes_.at(NodeId{id})->find(gateway);
    }
    void promote(std::uint32_t id, GatewayId gateway) {
        run(NodeId{id}, nodes_.at(NodeId{id})->promote(2, gateway, now_));
        pass(seconds(3));
        ASSERT_EQ(at(id, gateway).view().state(), takeover::State::promoted);
    }
    void detach(std::uint32_t id, GatewayId gateway) {
        run(NodeId{id}, nodes_.at(NodeId{id})->detach(3, gateway, now_));
        pass(seconds(3));
    }
    void lose_power(std::uint32_t id) {
        nodes_.erase(NodeId{id});
        pass(kStandInTime);
    }

  private:
    static GatewaySettings settings_of(GatewayId id, std::uint32_t node) {
        GatewaySettings gateway;
        gateway.id = id;
        gateway.name = "g" + std::to_string(id.value);
        gateway.stand_in = true;
        gateway.lease.self = self_of(NodeId{node});
        gateway.lease.voters = {NodeId{1}, NodeId{2}, NodeId{3}};
        gateway.durable.emplace();
        gateway.durable->voters.current = {{{0, NodeId{1}}, 0}, gateway.lease.voters};
        return gateway;
    }
    static lease::Sender self_of(NodeId node) {
        lease::Sender self{node, {}, lease::Instance{node.value}};
        self.boot.octets[0] = static_cast<std::uint8_t>(node.value);
        return self;
    }
    void pass(Duration time) {
        const TimePoint end = now_ + time;
        while (true) {
            std::optional<TimePoint> next;
            for (const auto& [id, node] : nodes_) {
                next = earliest(next, node->next_deadline());
            }
            if (!next || *next > end) {
                break;
            }
            now_ = std::max(now_ + milliseconds(1), *next);
            for (const auto& [id, node] : nodes_) {
                execute(id, node->on_time(now_));
            }
            deliver();
        }
        now_ = end;
    }
    void run(NodeId id, Effects effects) {
        execute(id, std::move(effects));
        deliver();
    }
    void deliver() {
        while (!leases_.empty() || !group_.empty()) {
            for (const auto& [from, sent] : std::exchange(leases_, {})) {
                if (const auto to = nodes_.find(sent.to); to != nodes_.end()) {
                    execute(sent.to, to->second->on_lease_message(sent.gateway, self_of(from),
                                                                  sent.message, now_));
                }
            }
            for (const auto& [from, message] : std::exchange(group_, {})) {
                for (const auto& [to, node] : nodes_) {
                    execute(to, node->on_group_message(from, message, now_));
                }
            }
        }
    }
    void execute(NodeId id, Effects effects) {
        effects::run_effects(
            std::move(effects), [&](Effect& effect) { return done(id, effect); },
            [] { return false; });
    }
    Effects done(NodeId id, const Effect& effect) {
        Node& node = *nodes_.at(id);
        if (const auto* const sent = std::get_if<SendToGroup>(&effect)) {
            group_.emplace_back(id, sent->message);
        } else if (const auto* const lease = std::get_if<SendLease>(&effect)) {
            leases_.emplace_back(id, *lease);
        } else if (const auto* const save = std::get_if<SaveLease>(&effect)) {
            return node.on_lease_saved(save->gateway, save->ticket, {}, now_);
        } else if (const auto* const step = std::get_if<RunStep>(&effect)) {
            return node.on_step_done(step->gateway, step->step, {}, now_);
        }
        return {};
    }

    std::map<NodeId, std::unique_ptr<Node>> nodes_;
    std::vector<std::pair<NodeId, SendLease>> leases_;
    std::vector<std::pair<NodeId, Bytes>> group_;
    TimePoint now_{std::chrono::hours(1)};
};

TEST_F(TwoGatewaysTest, WhoServesTheOtherOneLeavesItToWhoServesNone) {
    promote(1, kA);
    promote(2, kB);
    EXPECT_EQ(at(3, kB).view().score(), kScoreComplete + kScoreFirstToStandIn);
    EXPECT_EQ(at(1, kB).view().score(), kScoreComplete) << "of equal ones it would be the first";
    lose_power(2);
    EXPECT_TRUE(at(3, kB).view().stands_in());
    EXPECT_FALSE(at(1, kB).view().serves());
    EXPECT_TRUE(at(1, kA).view().serves());
}

TEST_F(TwoGatewaysTest, APlannedMoveGoesToWhoServesNone) {
    promote(1, kA);
    promote(2, kB);
    const auto plan = at(2, kB).moves().plan(std::nullopt);
    ASSERT_TRUE(plan) << plan.error().detail;
    EXPECT_EQ(plan->to, NodeId{3});
}

TEST_F(TwoGatewaysTest, WhoServesTheOtherOneStandsInWhereNobodyElseCan) {
    promote(1, kA);
    promote(2, kB);
    detach(3, kB);
    lose_power(2);
    EXPECT_TRUE(at(1, kB).view().stands_in());
}

TEST_F(TwoGatewaysTest, TheGatewaysOfOneNodeAreSpread) {
    promote(1, kA);
    promote(1, kB);
    lose_power(1);
    EXPECT_TRUE(at(3, kA).view().stands_in());
    EXPECT_TRUE(at(2, kB).view().stands_in());
}

}  // namespace node_apart_test
}  // namespace vpnha::node
