// SPDX-License-Identifier: GPL-2.0-or-later
// Flows, and what their helpers expect: what their keeper wants of this node's kernel, and what it
// hears of it.
#pragma once

#include <span>
#include <variant>
#include <vector>

#include "base/ids.hpp"
#include "cluster/effects/protocol_work.hpp"
#include "services/flows/model/expectation.hpp"
#include "services/flows/model/policy.hpp"
#include "services/flows/model/standby.hpp"
#include "services/flows/model/tracker.hpp"

namespace vpnha::node {

// The kernel's events of flows are wanted, from now until UnwatchFlows. Both change what timeouts
// are right: those of SetFlowTimeouts that wait are given up. → FlowNews, FlowNewsLost
struct WatchFlows {
    GatewayId gateway;
    conntrack::Policy policy;
};
struct UnwatchFlows {
    GatewayId gateway;
};
// The kernel's whole table; a listing under way is given up for it. → FlowNews, and at its
// end FlowsListed
struct ListFlows {
    GatewayId gateway;
};
// As the table has them now; those that are not there have ended. → FlowNews
struct LookUpFlows {
    GatewayId gateway;
    std::vector<conntrack::FlowKey> flows;
};
// These three take place in the order given, in slices. → FlowsInstalled
struct InstallFlows {
    GatewayId gateway;
    std::vector<conntrack::Wanted> flows;
};
struct RemoveFlows {
    GatewayId gateway;
    std::vector<conntrack::FlowKey> flows;
};
// → FlowsMissing
struct SetFlowTimeouts {
    GatewayId gateway;
    std::vector<conntrack::Timeout> flows;
};
// What helpers expect: the same, in one order with the flows. → ExpectationsListed, unless
// that fails
struct ListExpectations {
    GatewayId gateway;
};
// → ExpectationsInstalled
struct InstallExpectations {
    GatewayId gateway;
    std::vector<conntrack::WantedExpectation> expectations;
};
struct RemoveExpectations {
    GatewayId gateway;
    std::vector<conntrack::FlowKey> expectations;
};
// → ExpectationsMissing
struct SetExpectationTimeouts {
    GatewayId gateway;
    std::vector<conntrack::Timeout> expectations;
};

using FlowWork = std::variant<WatchFlows, UnwatchFlows, ListFlows, LookUpFlows, InstallFlows,
                              RemoveFlows, SetFlowTimeouts, ListExpectations, InstallExpectations,
                              RemoveExpectations, SetExpectationTimeouts>;
template <effects::OneOf<FlowWork> What>
FlowWork work_of(const What&);

// What the kernel said of them, of itself or asked for.
struct FlowNews {
    std::span<const conntrack::News> news;
};
// It said more than it could hold; once all that came before the loss was told.
struct FlowNewsLost {};
// The listing is over; `whole`: it had everything.
struct FlowsListed {
    bool whole = false;
};
struct FlowsInstalled {
    std::span<const conntrack::Installed> flows;
};
// They should have got a timeout, and are not in the kernel.
struct FlowsMissing {
    std::span<const conntrack::FlowKey> flows;
};
// The same of what helpers expect; their table is listed at once.
struct ExpectationNews {
    std::span<const conntrack::ExpectationNews> news;
};
struct ExpectationsListed {
    std::span<const conntrack::Expectation> table;
};
struct ExpectationsInstalled {
    std::span<const conntrack::Installed> answers;
};
struct ExpectationsMissing {
    std::span<const conntrack::FlowKey> expectations;
};

using FlowEvent =
    std::variant<FlowNews, FlowNewsLost, FlowsListed, FlowsInstalled, FlowsMissing, ExpectationNews,
                 ExpectationsListed, ExpectationsInstalled, ExpectationsMissing>;
template <effects::OneOf<FlowEvent> What>
FlowEvent event_of(const What&);

}  // namespace vpnha::node
