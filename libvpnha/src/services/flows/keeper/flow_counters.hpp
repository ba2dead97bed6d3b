// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

namespace vpnha::keepers {

// Of flows, and of their helpers' expectations.
struct FlowCounters {
    std::uint64_t overruns = 0;    // The kernel had more events than its buffer holds.
    std::uint64_t listings = 0;    // Of the whole table, begun.
    std::uint64_t over_limit = 0;  // Not replicated: limits::kFlowsPerGatewayMax.
    std::uint64_t refused = 0;     // By this node's kernel.
    std::uint64_t missing = 0;     // Gone from a standby's kernel; installed again.
    std::uint64_t stale = 0;       // Left by an earlier vpnhad without a record; removed.
};

}  // namespace vpnha::keepers
