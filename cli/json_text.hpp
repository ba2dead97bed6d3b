// SPDX-License-Identifier: GPL-2.0-or-later
// JSON as it is printed: ASCII only. Names come from peers, and a terminal interprets some
// characters beyond ASCII as commands, or as the direction of the text.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace vpnha::cli {

// `indent` -1: in one line.
[[nodiscard]] inline std::string json_text(const nlohmann::json& value, int indent = -1) {
    return value.dump(indent, ' ', true, nlohmann::json::error_handler_t::replace);
}

}  // namespace vpnha::cli
