// SPDX-License-Identifier: GPL-2.0-or-later
// The kernels' flows: at a takeover, and at the end of a run against each other.
#include "services/flows/model/flow_record.hpp"
#include "sim/oracle.hpp"

namespace vpnha::sim {

namespace {

wire::RecordKey record_of(const conntrack::FlowKey& key) {
    return {wire::RecordType::flow, wire::RecordId(conntrack::encode_key(key).view())};
}

// Except for what a standby makes of it: its timeout, and that TCP is liberal.
bool is_same(conntrack::Flow a, conntrack::Flow b) {
    a.timeout_s = b.timeout_s = 0;
    return std::ranges::equal(conntrack::encode_payload(a).view(),
                              conntrack::encode_payload(b).view());
}

template <class Visit>
void each_flow(const replica::Store& store, Visit visit) {
    for (const auto& [key, stored] : store.all(wire::RecordType::flow)) {
        if (const auto flow = conntrack::parse_flow(key.id.view(), stored.payload)) {
            visit(*flow, stored);
        }
    }
}

}  // namespace

void Oracle::expect_flows(const Machine& machine, GatewayId gateway) {
    const replica::Store& store = machine.gateway(gateway)->cores().replica.store();
    each_flow(store, [&](const conntrack::Flow& flow, const replica::StoredRecord& stored) {
        if (stored.hold == replica::Hold::installed &&
            machine.flow_table().flows().contains(flow.key)) {
            takeovers_.at(gateway).flows.insert(flow.key);
        }
    });
}

// While this node waited for its grant; their records may have come back since, and be under way.
void Oracle::forget_ended_flows(const Machine& machine, GatewayId gateway) {
    const replica::Store& store = machine.gateway(gateway)->cores().replica.store();
    std::erase_if(takeovers_.at(gateway).flows, [&](const conntrack::FlowKey& key) {
        const replica::StoredRecord* const held = store.find(record_of(key));
        return held == nullptr || held->hold != replica::Hold::installed;
    });
}

// At its claim: a promotion that waited for voters was answered long before.
void Oracle::check_flows_kept(const Machine& machine, GatewayId gateway) {
    for (const conntrack::FlowKey& key : takeovers_.at(gateway).flows) {
        if (!machine.flow_table().flows().contains(key)) {
            fail("flows", machine.id(),
                 "its kernel had it, and has lost it in the takeover: " + to_string(key));
        }
        ++tally_.flows_kept;
    }
}

void Oracle::on_flush(NodeId node) {
    for (auto& [gateway, takeover] : takeovers_) {
        if (takeover.node == node) {
            takeover.flows.clear();
            takeover.expectations.clear();
        }
    }
}

void Oracle::check_holder_flows(const Machine& holder, const node::GatewayNode& gateway) const {
    const conntrack::Policy& policy = gateway.cores().settings.keepers.flows.policy;
    const replica::Store& store = gateway.cores().replica.store();
    const FlowTable::Flows& live = holder.flow_table().flows();
    for (const auto& [key, flow] : live) {
        if (!conntrack::concerns(policy, flow)) {
            continue;
        }
        if (is_hot(flow)) {
            fail("flows", holder.id(), "serves, and keeps it hot: " + to_string(key));
        }
        const conntrack::Worth worth = conntrack::worth(policy, flow);
        if ((worth == conntrack::Worth::live || worth == conntrack::Worth::ending) &&
            store.find(record_of(key)) == nullptr) {
            fail("flows", holder.id(), "does not replicate " + to_string(key));
        }
    }
    each_flow(store, [&](const conntrack::Flow& flow, const auto&) {
        const auto found = live.find(flow.key);
        if (found == live.end() ||
            conntrack::worth(policy, found->second) == conntrack::Worth::over) {
            fail("flows", holder.id(), "has ended, and is replicated: " + to_string(flow.key));
        }
        if (!is_same(found->second, flow)) {
            fail("flows", holder.id(), "is replicated as it was before: " + to_string(flow.key));
        }
        if (is_hot(flow)) {
            fail("flows", holder.id(), "is replicated as hot: " + to_string(flow.key));
        }
    });
}

// How many they have in common.
std::uint64_t Oracle::check_standby_flows(const Machine& holder, const Machine& standby,
                                          const node::GatewayNode& gateway) const {
    const replica::Store& store = gateway.cores().replica.store();
    const FlowTable::Flows& live = holder.flow_table().flows();
    const FlowTable::Flows& hot = standby.flow_table().flows();
    std::uint64_t equal = 0;
    each_flow(store, [&](const conntrack::Flow& flow, const replica::StoredRecord& stored) {
        const auto found = hot.find(flow.key);
        if (found == hot.end() || !is_hot(found->second) ||
            !is_same(found->second, live.at(flow.key))) {
            fail("flows", standby.id(),
                 fmt::format("its kernel {} {}, hold {}",
                             found == hot.end()       ? "misses"
                             : !is_hot(found->second) ? "ends"
                                                      : "has another state of",
                             to_string(flow.key), static_cast<int>(stored.hold)));
        }
        ++equal;
    });
    for (const auto& [key, flow] : hot) {
        if (is_hot(flow) &&
            conntrack::concerns(gateway.cores().settings.keepers.flows.policy, flow) &&
            store.find(record_of(key)) == nullptr) {
            fail("flows", standby.id(), "its kernel still has " + to_string(key));
        }
    }
    return equal;
}

}  // namespace vpnha::sim
