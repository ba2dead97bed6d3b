// SPDX-License-Identifier: GPL-2.0-or-later
// A session of pppd's plugin as its protocol's keeper hears of it.
#pragma once

#include <string>
#include <vector>

#include "adapters/corosync/cluster_map.hpp"
#include "adapters/pppd/plugin_server.hpp"
#include "config/config.hpp"
#include "effects/plugin_event.hpp"
#include "runtime/backends/pptp.hpp"

namespace vpnha::runtime {

struct PluginNews {
    node::PluginSession session;
    std::string not_resumable;  // Why it cannot be replicated; empty when it can.
};

// Adds what pppd cannot know: the local end, from the gateway's configuration, and of a PPTP call
// what was seen of it; and whether other nodes may install its addresses
// (runtime/routing/client_addresses.hpp). `nodes`: those of corosync.conf.
// `established_unix_ms`: by the gateway's clock. The error is the answer
// to a pppd whose session no gateway keeps.
[[nodiscard]] Result<PluginNews> plugin_session(adapters::PluginClientId client,
                                                const adapters::PluginSessionUp& up,
                                                const config::Config& config,
                                                const std::vector<adapters::ClusterNode>& nodes,
                                                Pptp* pptp, std::uint64_t established_unix_ms);

}  // namespace vpnha::runtime
