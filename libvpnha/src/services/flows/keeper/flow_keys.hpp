// SPDX-License-Identifier: GPL-2.0-or-later
// The keys of the records of flows and of expectations in the replica.
#pragma once

#include "cluster/wire/record_key.hpp"
#include "services/flows/model/flow_record.hpp"

namespace vpnha::keepers {

[[nodiscard]] inline wire::RecordKey flow_record_key(const conntrack::FlowKey& key) {
    return {wire::RecordType::flow, wire::RecordId(conntrack::encode_key(key).view())};
}

[[nodiscard]] inline wire::RecordKey expectation_record_key(const conntrack::FlowKey& key) {
    return {wire::RecordType::expectation, wire::RecordId(conntrack::encode_key(key).view())};
}

}  // namespace vpnha::keepers
