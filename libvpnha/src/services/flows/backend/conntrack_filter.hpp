// SPDX-License-Identifier: GPL-2.0-or-later
// Selects the kernel's flow events that reach this program. A classic BPF program at the socket: an
// event that it refuses costs no copy and no wake-up. It never refuses an event that the policy
// needs; what it cannot decide (IPv6 nets, expectations) passes.
#pragma once

#include <linux/filter.h>

#include <vector>

#include "services/flows/model/policy.hpp"

namespace vpnha::adapters {

// Status, protocol, mark, zone, nets of IPv4. Expectations always pass.
[[nodiscard]] std::vector<sock_filter> flow_event_filter(const conntrack::Policy& policy);

}  // namespace vpnha::adapters
