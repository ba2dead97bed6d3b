// SPDX-License-Identifier: GPL-2.0-or-later
// The keys of the records of flows and of expectations in the replica, and what a record implies.
#pragma once

#include "cluster/replica/store.hpp"
#include "cluster/wire/record_key.hpp"
#include "services/flows/model/flow_record.hpp"

namespace vpnha::keepers {

[[nodiscard]] inline wire::RecordKey flow_record_key(const conntrack::FlowKey& key) {
    return {wire::RecordType::flow, wire::RecordId(conntrack::encode_key(key).view())};
}

[[nodiscard]] inline wire::RecordKey expectation_record_key(const conntrack::FlowKey& key) {
    return {wire::RecordType::expectation, wire::RecordId(conntrack::encode_key(key).view())};
}

// By its record. Of another flow the kernel's filter passes no event, neither its begin nor its
// end: whoever needs its state looks it up.
[[nodiscard]] inline bool is_assured(const replica::Store& store, const conntrack::FlowKey& key) {
    const wire::RecordKey record = flow_record_key(key);
    const replica::StoredRecord* const held = store.find(record);
    if (held == nullptr) {
        return false;
    }
    const Result<conntrack::Flow> flow = conntrack::parse_flow(record.id.view(), held->payload);
    return flow && (flow->status & conntrack::kAssured) != 0;
}

}  // namespace vpnha::keepers
