// SPDX-License-Identifier: GPL-2.0-or-later
// The nodes that have served a session: the holders of its gateway's lease since it began, as this
// node's vpnhad knows them.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace vpnha::cli::session {

// Of the list `holders` of its gateway, those that have served since then.
[[nodiscard]] nlohmann::json holders_since(const nlohmann::json& status,
                                           const nlohmann::json& session);
// A line for each node; if vpnhad knows the gateway for a shorter time, one line with that.
[[nodiscard]] std::string render_holders(const nlohmann::json& status,
                                         const nlohmann::json& session);

}  // namespace vpnha::cli::session
