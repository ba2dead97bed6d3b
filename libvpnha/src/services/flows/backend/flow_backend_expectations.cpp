// SPDX-License-Identifier: GPL-2.0-or-later
// The expectations of the helpers of the gateways' flows.
#include "services/flows/backend/flow_backend.hpp"
#include "services/flows/work.hpp"

namespace vpnha::runtime {

void FlowBackend::work_off(const node::InstallExpectations& train) {
    std::vector<conntrack::Expectation> expectations;
    expectations.reserve(train.expectations.size());
    for (const conntrack::WantedExpectation& each : train.expectations) {
        expectations.push_back(each.expectation);
    }
    const Result<std::vector<bool>> taken = table_->install_expectations(expectations);
    if (!taken) {
        complain_of_flows("expectations cannot be installed", taken.error());
    }
    run_(node_.on_event(
        train.gateway,
        node::ExpectationsInstalled{answers_of(expectations, train.expectations, taken)},
        loop_.now()));
}

void FlowBackend::work_off(const node::RemoveExpectations& train) {
    if (const Result<void> removed = table_->remove_expectations(train.expectations); !removed) {
        complain_of_flows("expectations cannot be removed", removed.error());
    }
}

void FlowBackend::work_off(const node::SetExpectationTimeouts& train) {
    const Result<std::vector<bool>> there = table_->set_expectation_timeouts(train.expectations);
    if (!there) {
        complain_of_flows("timeouts of expectations cannot be set", there.error());
        return;
    }
    if (const auto missing = missing_of(train.expectations, *there); !missing.empty()) {
        run_(node_.on_event(train.gateway, node::ExpectationsMissing{missing}, loop_.now()));
    }
}

void FlowBackend::work_off(const node::ListExpectations& train) {
    const Result<std::vector<conntrack::Expectation>> table = table_->list_expectations();
    if (!table) {
        complain_of_flows("what the kernel expects cannot be listed", table.error());
        return;
    }
    run_(node_.on_event(train.gateway, node::ExpectationsListed{*table}, loop_.now()));
}

}  // namespace vpnha::runtime
