// SPDX-License-Identifier: GPL-2.0-or-later
// JSON as it is printed: ASCII alone. Names come from peers, and a terminal takes some characters
// beyond ASCII for commands, or for the direction of the text.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace vpnha::cli {

// `indent` -1: in one line.
[[nodiscard]] inline std::string json_text(const nlohmann::json& value, int indent = -1) {
    return value.dump(indent, ' ', true, nlohmann::json::error_handler_t::replace);
}

}  // namespace vpnha::cli
