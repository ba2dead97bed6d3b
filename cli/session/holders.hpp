// SPDX-License-Identifier: GPL-2.0-or-later
// Over which nodes a session has gone: who has held the lease of its gateway since it began, as
// vpnhad of this node knows it.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace vpnha::cli::session {

// Of the list `holders` of its gateway, those that have served since then.
[[nodiscard]] nlohmann::json holders_since(const nlohmann::json& status,
                                           const nlohmann::json& session);
// A line for each node; where vpnhad has not known the gateway for so long, one that states it.
[[nodiscard]] std::string render_holders(const nlohmann::json& status,
                                         const nlohmann::json& session);

}  // namespace vpnha::cli::session
