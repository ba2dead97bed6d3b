// SPDX-License-Identifier: GPL-2.0-or-later
// From the text of vpnha.toml to a Config whose every value is in bounds by itself. What values
// mean together is checked in checks.cpp.
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
    // Sections with an error, by gateway: a check leaves them out where it would only find what
    // follows from that error.
    std::set<std::pair<Section, std::string>> unsound;

    [[nodiscard]] bool is_sound(const Section& section, const std::string& gateway) const {
        return unsound.count({section, gateway}) == 0;
    }
};

[[nodiscard]] Draft read_toml(std::string_view toml, std::string_view file_name,
                              const Schema& schema);

}  // namespace vpnha::config
