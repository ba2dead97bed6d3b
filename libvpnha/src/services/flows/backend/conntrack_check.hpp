// SPDX-License-Identifier: GPL-2.0-or-later
// Whether this machine's settings permit the replication of flows that is configured.
#pragma once

#include <functional>
#include <vector>

#include "cluster/effects/effects.hpp"
#include "config/config.hpp"
#include "services/flows/model/settings.hpp"

namespace vpnha::runtime {

[[nodiscard]] bool replicates_flows(const config::Config& config);

using ReadConntrackSettings = std::function<conntrack::Settings()>;

// The findings if a gateway replicates flows; otherwise nothing is read.
[[nodiscard]] std::vector<conntrack::Finding> find_in_conntrack(const config::Config& config,
                                                                const ReadConntrackSettings& read);
[[nodiscard]] effects::Log log_of(const conntrack::Finding& finding);

// Checks this machine, and logs each finding. vpnhad starts in spite of them: sessions do not need
// connection tracking.
void warn_of_conntrack_settings(const config::Config& config);

}  // namespace vpnha::runtime
