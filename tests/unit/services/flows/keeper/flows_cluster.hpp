// SPDX-License-Identifier: GPL-2.0-or-later
// Whole nodes and the flows in their kernels.
#pragma once

#include <gtest/gtest.h>

#include "services/flows/keeper/flows.hpp"
#include "services/flows/work.hpp"
#include "support/flow_builder.hpp"
#include "unit/cluster/node/fake_cluster.hpp"
#include "unit/cluster/node/sample_session.hpp"

namespace vpnha::node {

class FlowsTest : public ::testing::Test {
  protected:
    FakeFlowTable& table(std::uint32_t node) { return cluster_.at(node).flows; }
    const keepers::FlowCounters& counters(std::uint32_t node) {
        return cluster_.at(node)
            .node->find(kGateway)
            ->cores()
            .keepers.find<keepers::Flows>()
            ->counters();
    }
    std::size_t records(std::uint32_t node) {
        return cluster_.replica(node).store().size_of(wire::RecordType::flow);
    }

    // As the kernel of the promoted node has it, and says so.
    void begin(const conntrack::Flow& flow, std::uint32_t node = 1) {
        table(node).flows.insert_or_assign(flow.key, flow);
        handle({conntrack::News::Kind::changed, flow}, node);
    }
    void end(const conntrack::Flow& flow, std::uint32_t node = 1) {
        table(node).flows.erase(flow.key);
        handle({conntrack::News::Kind::ended, flow}, node);
    }
    void handle(const conntrack::News& news, std::uint32_t node) {
        if (table(node).watched) {
            cluster_.run(node, cluster_.at(node).node->on_event(
                                   kGateway, FlowNews{std::span(&news, 1)}, cluster_.now()));
        }
    }
    void lose_events(std::uint32_t node = 1) {
        cluster_.run(node,
                     cluster_.at(node).node->on_event(kGateway, FlowNewsLost{}, cluster_.now()));
    }

    // Node 2 is promoted, and listed, while the installation of a flow still waits there.
    void promote_busy_standby() {
        table(2).busy = true;
        begin(test::nat_tcp_flow());
        cluster_.pass(std::chrono::milliseconds(100));
        cluster_.kill(1);
        ASSERT_TRUE(cluster_.promote(2).has_value());
        cluster_.pass(std::chrono::seconds(2));
    }

    FakeCluster cluster_ = with_one_session();
};

}  // namespace vpnha::node
