// SPDX-License-Identifier: GPL-2.0-or-later
// What the clients' packets do to the flows of the kernel that forwards them: what the others'
// kernels have to follow.
#pragma once

#include "base/ids.hpp"
#include "sim/flow_table.hpp"
#include "support/random.hpp"

namespace vpnha::sim {

class Traffic {
  public:
    // With numbers of its own: a run without flows is what it was before there were any.
    explicit Traffic(std::uint64_t seed) : random_(seed ^ 0x666c6f7773) {}

    // A few flows begin, change or end, and what they announce is expected, comes, or does not.
    void pass(GatewayId gateway, FlowTable& table);
    // Nothing comes through here any more: a flow that nobody made hot ends by itself.
    void expire(GatewayId gateway, FlowTable& table);

    [[nodiscard]] static conntrack::Policy policy(GatewayId gateway);

  private:
    void begin(GatewayId gateway, FlowTable& table);
    void proceed(const conntrack::Flow& flow, FlowTable& table);
    // A packet that the flow's helper reads.
    void announce(const conntrack::Flow& flow, FlowTable& table);
    void follow_up(const conntrack::Expectation& expectation, FlowTable& table);
    [[nodiscard]] const conntrack::Flow* any(GatewayId gateway, const FlowTable& table);

    test::Random random_;
};

}  // namespace vpnha::sim
