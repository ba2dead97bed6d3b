// SPDX-License-Identifier: GPL-2.0-or-later
// What the helpers of the gateways' flows expect.
#include "effects/flow_work.hpp"
#include "runtime/backends/flow_keeper.hpp"

namespace vpnha::runtime {

void FlowKeeper::list_expectations(GatewayId gateway) {
    begin_work();
    trains_.push_back({gateway, ListExpectations{}});
}

void FlowKeeper::install_expectations(GatewayId gateway,
                                      std::vector<conntrack::WantedExpectation> expectations) {
    add<InstallExpectations>(gateway, std::move(expectations));
}

void FlowKeeper::remove_expectations(GatewayId gateway,
                                     std::vector<conntrack::FlowKey> expectations) {
    add<RemoveExpectations>(gateway, std::move(expectations));
}

void FlowKeeper::set_expectation_timeouts(GatewayId gateway,
                                          std::vector<conntrack::Timeout> expectations) {
    add<SetExpectationTimeouts>(gateway, std::move(expectations));
}

void FlowKeeper::work_off(GatewayId gateway, const InstallExpectations& train) {
    std::vector<conntrack::Expectation> expectations;
    expectations.reserve(train.flows.size());
    for (const conntrack::WantedExpectation& each : train.flows) {
        expectations.push_back(each.expectation);
    }
    const Result<std::vector<bool>> taken = table_->install_expectations(expectations);
    if (!taken) {
        complain_of_flows("expectations cannot be installed", taken.error());
    }
    run_(node_.on_event(gateway,
                        node::ExpectationsInstalled{answers_of(expectations, train.flows, taken)},
                        loop_.now()));
}

void FlowKeeper::work_off(GatewayId, const RemoveExpectations& train) {
    if (const Result<void> removed = table_->remove_expectations(train.flows); !removed) {
        complain_of_flows("expectations cannot be removed", removed.error());
    }
}

void FlowKeeper::work_off(GatewayId gateway, const SetExpectationTimeouts& train) {
    const Result<std::vector<bool>> there = table_->set_expectation_timeouts(train.flows);
    if (!there) {
        complain_of_flows("timeouts of expectations cannot be set", there.error());
        return;
    }
    if (const auto missing = missing_of(train.flows, *there); !missing.empty()) {
        run_(node_.on_event(gateway, node::ExpectationsMissing{missing}, loop_.now()));
    }
}

void FlowKeeper::work_off(GatewayId gateway, const ListExpectations&) {
    const Result<std::vector<conntrack::Expectation>> table = table_->list_expectations();
    if (!table) {
        complain_of_flows("what the kernel expects cannot be listed", table.error());
        return;
    }
    run_(node_.on_event(gateway, node::ExpectationsListed{*table}, loop_.now()));
}

}  // namespace vpnha::runtime
