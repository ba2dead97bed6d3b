// SPDX-License-Identifier: GPL-2.0-or-later
// How a node began to serve, as a drawing: the silence before, and the duration of each step.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace vpnha::cli::page {

// SVG of `last_takeover` of a gateway's status.
[[nodiscard]] std::string drawing_of(const nlohmann::json& takeover);

}  // namespace vpnha::cli::page
