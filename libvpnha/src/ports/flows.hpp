// SPDX-License-Identifier: GPL-2.0-or-later
// Port: a gateway's flows in this node's kernel. Answers come to the node from the event loop,
// never from within a call.
#pragma once

#include <vector>

#include "base/ids.hpp"
#include "conntrack/policy.hpp"
#include "conntrack/standby.hpp"

namespace vpnha::ports {

class Flows {
  public:
    virtual ~Flows() = default;

    // Both give up the timeouts that wait to be set for the gateway.
    virtual void watch(GatewayId gateway, const conntrack::Policy& policy) = 0;
    virtual void unwatch(GatewayId gateway) = 0;
    // The whole table, whosever flows they are.
    virtual void list(GatewayId gateway) = 0;
    virtual void look_up(GatewayId gateway, std::vector<conntrack::FlowKey> flows) = 0;
    // In the order of the calls, in slices.
    virtual void install(GatewayId gateway, std::vector<conntrack::Wanted> flows) = 0;
    virtual void remove(GatewayId gateway, std::vector<conntrack::FlowKey> flows) = 0;
    virtual void set_timeouts(GatewayId gateway, std::vector<conntrack::Timeout> flows) = 0;
    // What helpers expect, in one order with the flows. A listing that fails has no answer.
    virtual void list_expectations(GatewayId gateway) = 0;
    virtual void install_expectations(GatewayId gateway,
                                      std::vector<conntrack::WantedExpectation> expectations) = 0;
    virtual void remove_expectations(GatewayId gateway,
                                     std::vector<conntrack::FlowKey> expectations) = 0;
    virtual void set_expectation_timeouts(GatewayId gateway,
                                          std::vector<conntrack::Timeout> expectations) = 0;
    // All that was asked for is done when it returns.
    virtual void finish() = 0;
};

}  // namespace vpnha::ports
