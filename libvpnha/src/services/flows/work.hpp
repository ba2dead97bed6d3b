// SPDX-License-Identifier: GPL-2.0-or-later
// Flows, and their helpers' expectations: the keeper's requests to this node's kernel, and the
// events from it.
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

// Requests the kernel's events of flows, from now until UnwatchFlows. Both change the right
// timeouts, so pending SetFlowTimeouts are dropped. → FlowNews, FlowNewsLost
struct WatchFlows {
    GatewayId gateway;
    conntrack::Policy policy;
};
struct UnwatchFlows {
    GatewayId gateway;
};
// The kernel's whole table; replaces a listing
// under way. → FlowNews, and at its end FlowsListed
struct ListFlows {
    GatewayId gateway;
};
// As the table has them now; flows that are not there have ended. → FlowNews
struct LookUpFlows {
    GatewayId gateway;
    std::vector<conntrack::FlowKey> flows;
};
// These three are carried out in the order given, in slices. → FlowsInstalled
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
// The same for helpers' expectations, in one order with the flows. → ExpectationsListed, unless
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

// The kernel's news of them, unasked or requested.
struct FlowNews {
    std::span<const conntrack::News> news;
};
// Its queue overflowed; sent once all events from before the loss have been.
struct FlowNewsLost {};
// The listing is over; `whole`: it was complete.
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
// The same for helpers' expectations; their table is listed at once.
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
