// SPDX-License-Identifier: GPL-2.0-or-later
// From the text of vpnha.toml to a Config whose every value is within its own bounds. checks.cpp
// checks whether the values fit together.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "config/config.hpp"
#include "config/errors.hpp"

namespace vpnha::config {

// What could be read, and all errors that reading found.
struct Draft {
    Config config;
    Errors errors;
    // Sections with an error, by gateway: a check leaves them out if it would only find
    // consequences of that error.
    std::set<std::pair<Section, std::string>> unsound;

    [[nodiscard]] bool is_sound(const Section& section, const std::string& gateway) const {
        return unsound.count({section, gateway}) == 0;
    }
};

[[nodiscard]] Draft read_toml(std::string_view toml, std::string_view file_name,
                              const Schema& schema);

}  // namespace vpnha::config
