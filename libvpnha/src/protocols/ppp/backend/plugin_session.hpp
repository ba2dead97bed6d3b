// SPDX-License-Identifier: GPL-2.0-or-later
// Converts a session that pppd's plugin reports for the keeper of its protocol.
#pragma once

#include <vector>

#include "config/config.hpp"
#include "host/corosync/cluster_map.hpp"
#include "protocols/ppp/backend/plugin_message.hpp"
#include "protocols/ppp/ppp_protocol.hpp"

namespace vpnha::runtime {

// Adds what pppd cannot know, and has the protocol convert the session. Checks whether other nodes
// may install its addresses (protocols/ppp/backend/client_addresses.hpp). `nodes`: those of
// corosync.conf. `established_unix_ms`: by the gateway's clock. The error is the answer to a pppd
// whose session no gateway keeps.
[[nodiscard]] Result<ports::PppProtocol::Session> plugin_session(
    PluginToken plugin, const adapters::PluginSessionUp& up, const config::Config& config,
    const std::vector<adapters::ClusterNode>& nodes,
    const std::vector<ports::PppProtocol*>& protocols, std::uint64_t established_unix_ms);

}  // namespace vpnha::runtime
