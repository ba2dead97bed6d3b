// SPDX-License-Identifier: GPL-2.0-or-later
// The gateways' flows in this node's kernel, and the expectations of their helpers. The table is
// changed in slices, between which the loop handles everything else. Events are read in bursts:
// waking the process for each costs more than the event.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <variant>

#include "base/limits.hpp"
#include "cluster/node/node.hpp"
#include "config/config.hpp"
#include "host/os/qb_loop.hpp"
#include "protocols/backend.hpp"
#include "services/flows/backend/conntrack_events.hpp"
#include "services/flows/backend/conntrack_table.hpp"
#include "services/flows/backend/flow_table.hpp"
#include "services/flows/work.hpp"

namespace vpnha::runtime {

// nullptr when no gateway has flows replicated, or the kernel has no such table; the reason is
// logged.
[[nodiscard]] std::unique_ptr<ports::FlowTable> open_flow_table(const config::Config& config);

[[nodiscard]] Status table_status(const ports::FlowTable::Counters& counters);

// To the log.
void complain_of_flows(std::string_view what, const Error& error);

class FlowBackend final : public ports::Backend {
  public:
    using Run = std::function<void(effects::Effects)>;

    // Loop and node must outlive it. `table` may be missing when no gateway has flows replicated.
    FlowBackend(adapters::QbLoop& loop, node::Node& node, std::unique_ptr<ports::FlowTable> table,
                Run run);
    ~FlowBackend() override;
    FlowBackend(const FlowBackend&) = delete;
    FlowBackend& operator=(const FlowBackend&) = delete;

    [[nodiscard]] bool execute(effects::ProtocolWork& work) override;
    void finish() override;
    // Flows of the gateway that wait to be installed, removed, changed or looked up.
    [[nodiscard]] std::size_t waiting(GatewayId gateway) const;
    [[nodiscard]] Status status() const override;
    [[nodiscard]] Status status_of(GatewayId gateway) const override;

  private:
    // A command for the table, with at most limits::kFlowsPerTrain flows.
    using Train =
        std::variant<node::InstallFlows, node::RemoveFlows, node::SetFlowTimeouts,
                     node::LookUpFlows, node::InstallExpectations, node::RemoveExpectations,
                     node::SetExpectationTimeouts, node::ListExpectations>;

    // The result for each: `entries` were requested with the tickets of `wanted`.
    template <class Entry, class Wanted>
    [[nodiscard]] static std::vector<conntrack::Installed> answers_of(
        const std::vector<Entry>& entries, const std::vector<Wanted>& wanted,
        const Result<std::vector<bool>>& taken);
    [[nodiscard]] static std::vector<conntrack::FlowKey> missing_of(
        const std::vector<conntrack::Timeout>& timeouts, const std::vector<bool>& there);

    // A flow between clients of two gateways belongs to both. Where this node serves the other
    // gateway, and not `gateway`, its packets pass in any case. The kernel's own entry must not be
    // replaced, removed or kept alive.
    [[nodiscard]] bool is_others(GatewayId gateway, const conntrack::Flow& flow) const;
    // The same for a flow known by its key alone, which has no mark.
    [[nodiscard]] bool is_others(GatewayId gateway, const conntrack::FlowKey& key) const;

    // Both drop the timeouts that wait to be set for the gateway.
    void carry_out(const node::WatchFlows& work);
    void carry_out(const node::UnwatchFlows& work);
    // The whole table, with all flows.
    void carry_out(const node::ListFlows& work);
    // All other commands are carried out in order, in slices.
    template <effects::OneOf<Train> Command>
    void carry_out(Command& work);
    void add(Train train);
    // Those that wait to be set.
    void forget_timeouts(GatewayId gateway);
    void work_slice();
    void work_once();
    void work_off(node::InstallFlows& train);
    void work_off(node::RemoveFlows& train);
    void work_off(node::SetFlowTimeouts& train);
    void work_off(const node::LookUpFlows& train);
    void work_off(const node::InstallExpectations& train);
    void work_off(const node::RemoveExpectations& train);
    void work_off(const node::SetExpectationTimeouts& train);
    // A listing that fails has no answer.
    void work_off(const node::ListExpectations& train);
    void open_events();
    void listen(GatewayId gateway);
    void read_bursts();
    void read_listing(GatewayId gateway);

    adapters::QbLoop& loop_;
    node::Node& node_;
    std::unique_ptr<ports::FlowTable> table_;
    Run run_;
    std::deque<Train> trains_;
    std::map<GatewayId, std::size_t> waiting_;
    std::map<GatewayId, conntrack::Policy> served_;
    std::map<GatewayId, conntrack::Policy> unopened_;
    std::map<GatewayId, adapters::ConntrackEvents> events_;
    std::set<GatewayId> readable_;
    std::set<GatewayId> overrun_;  // Events were lost; some earlier ones are still to be read.
    std::map<GatewayId, adapters::ConntrackListing> listings_;
    std::set<GatewayId> unlisted_;  // Their listing could not begin: to be reported.
};

template <class Entry, class Wanted>
std::vector<conntrack::Installed> FlowBackend::answers_of(const std::vector<Entry>& entries,
                                                          const std::vector<Wanted>& wanted,
                                                          const Result<std::vector<bool>>& taken) {
    std::vector<conntrack::Installed> answers;
    answers.reserve(entries.size());
    for (std::size_t n = 0; n < entries.size(); ++n) {
        answers.push_back({entries[n].key, wanted[n].ticket, taken && (*taken)[n]});
    }
    return answers;
}

}  // namespace vpnha::runtime
