// SPDX-License-Identifier: GPL-2.0-or-later
// Whether this machine is set for the replication of flows that its configuration wants.
#pragma once

#include <vector>

#include "config/config.hpp"
#include "conntrack/settings.hpp"

namespace vpnha::runtime {

[[nodiscard]] bool replicates_flows(const config::Config& config);

// Looks at this machine when a gateway replicates flows, and logs each finding. vpnhad starts with
// all of them: sessions do not need connection tracking.
void warn_of_conntrack_settings(const config::Config& config);

}  // namespace vpnha::runtime
