// SPDX-License-Identifier: GPL-2.0-or-later
// What the helpers of the kernels' flows expect: at a takeover, and at the end of a run against
// each other.
#include "services/flows/model/flow_record.hpp"
#include "sim/oracle.hpp"

namespace vpnha::sim {

namespace {

using conntrack::Expectation;
using conntrack::FlowKey;

wire::RecordKey record_of(wire::RecordType type, const FlowKey& key) {
    return {type, wire::RecordId(conntrack::encode_key(key).view())};
}

wire::RecordKey expectation_of(const FlowKey& key) {
    return record_of(wire::RecordType::expectation, key);
}

bool is_same(Expectation a, const Expectation& b) {
    a.timeout_s = b.timeout_s;
    return a == b;
}

// One gateway's, of a connection that is not over.
bool concerns(const conntrack::Policy& policy, const FlowTable& table,
              const Expectation& expectation) {
    const auto parent = table.flows().find(expectation.parent);
    return parent != table.flows().end() && conntrack::concerns(policy, parent->second) &&
           conntrack::worth(policy, parent->second) != conntrack::Worth::over;
}

template <class Visit>
void each_expectation(const replica::Store& store, Visit visit) {
    for (const auto& [key, stored] : store.all(wire::RecordType::expectation)) {
        if (const auto expectation = conntrack::parse_expectation(key.id.view(), stored.payload)) {
            visit(*expectation, stored);
        }
    }
}

}  // namespace

// One whose parent is not hot ends with it, when it has had its own timeout.
void Oracle::expect_expectations(const Machine& machine, GatewayId gateway) {
    const replica::Store& store = machine.gateway(gateway)->cores().replica.store();
    each_expectation(store, [&](const Expectation& each, const replica::StoredRecord& stored) {
        if (stored.hold == replica::Hold::installed &&
            takeovers_.at(gateway).flows.contains(each.parent) &&
            machine.flow_table().expectations().contains(each.key)) {
            takeovers_.at(gateway).expectations.insert(each.key);
        }
    });
}

void Oracle::check_expectations_kept(const Machine& machine, GatewayId gateway) {
    const replica::Store& store = machine.gateway(gateway)->cores().replica.store();
    // What is not there any more ended while this node waited for its grant, or gave way to the
    // next one of its parent; the end of that is said later. The record of a parent may have come
    // back since, and be under way: without it the kernel takes no expectation.
    each_expectation(store, [&](const Expectation& each, const auto&) {
        if (!takeovers_.at(gateway).expectations.contains(each.key) ||
            !takeovers_.at(gateway).flows.contains(each.parent)) {
            return;
        }
        const FlowTable::Expectations& there = machine.flow_table().expectations();
        const bool replaced = std::any_of(there.begin(), there.end(), [&each](const auto& other) {
            return other.second.parent == each.parent;
        });
        if (!replaced && !there.contains(each.key)) {
            fail("flows", machine.id(),
                 "its kernel expected it, and does not after the takeover: " + to_string(each.key));
        }
        tally_.expectations_kept += there.count(each.key);
    });
}

void Oracle::check_holder_expectations(const Machine& holder,
                                       const node::GatewayNode& gateway) const {
    const conntrack::Policy& policy = gateway.cores().settings.keepers.flows.policy;
    const replica::Store& store = gateway.cores().replica.store();
    const FlowTable& table = holder.flow_table();
    for (const auto& [key, expectation] : table.expectations()) {
        if (!concerns(policy, table, expectation)) {
            continue;
        }
        if (is_hot(expectation)) {
            fail("flows", holder.id(), "serves, and keeps expecting " + to_string(key));
        }
        if (store.find(expectation_of(key)) == nullptr) {
            fail("flows", holder.id(), "does not replicate that it expects " + to_string(key));
        }
    }
    each_expectation(store, [&](const Expectation& each, const auto&) {
        const auto found = table.expectations().find(each.key);
        if (found == table.expectations().end()) {
            fail("flows", holder.id(),
                 "is not expected, and is replicated: " + to_string(each.key));
        }
        if (!is_same(found->second, each)) {
            fail("flows", holder.id(),
                 "is replicated as it was expected before: " + to_string(each.key));
        }
        if (is_hot(each)) {
            fail("flows", holder.id(), "is replicated as hot: " + to_string(each.key));
        }
    });
}

// How many they have in common.
std::uint64_t Oracle::check_standby_expectations(const Machine& holder, const Machine& standby,
                                                 const node::GatewayNode& gateway) const {
    const replica::Store& store = gateway.cores().replica.store();
    const FlowTable::Expectations& live = holder.flow_table().expectations();
    const FlowTable& table = standby.flow_table();
    std::uint64_t equal = 0;
    each_expectation(store, [&](const Expectation& each, const replica::StoredRecord& stored) {
        const auto found = table.expectations().find(each.key);
        if (found == table.expectations().end() || !is_hot(found->second) ||
            !is_same(found->second, live.at(each.key))) {
            fail("flows", standby.id(),
                 fmt::format("its kernel does not expect {}, or otherwise, hold {}",
                             to_string(each.key), static_cast<int>(stored.hold)));
        }
        ++equal;
    });
    // One whose parent has its own timeout ends with it.
    for (const auto& [key, expectation] : table.expectations()) {
        if (is_hot(expectation) &&
            concerns(gateway.cores().settings.keepers.flows.policy, table, expectation) &&
            is_hot(table.flows().at(expectation.parent)) &&
            store.find(expectation_of(key)) == nullptr) {
            fail("flows", standby.id(), "its kernel still expects " + to_string(key));
        }
    }
    return equal;
}

}  // namespace vpnha::sim
