// SPDX-License-Identifier: GPL-2.0-or-later
// A session of pppd's plugin as the record of its protocol's keeper.
#pragma once

#include <optional>

#include "adapters/pppd/plugin_message.hpp"
#include "config/config.hpp"
#include "effects/plugin_event.hpp"

namespace vpnha::runtime {

// Adds what pppd cannot know, from the gateway's configuration: the local end of a tunnel.
// nullopt: no keeper replicates this protocol.
[[nodiscard]] std::optional<node::PluginSession> plugin_session(const adapters::PluginSessionUp& up,
                                                                const config::Config& config);

}  // namespace vpnha::runtime
