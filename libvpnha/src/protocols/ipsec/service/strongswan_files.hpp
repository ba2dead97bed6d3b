// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "config/strongswan_file.hpp"

namespace vpnha::adapters {

struct LoadedStrongswan {
    config::StrongswanSection top;
    std::vector<std::string> files;  // That file, and all that it includes.
};

// A file of strongSwan's format with all that it includes, as swanctl reads it; with_references().
// Errors: system, the file cannot be read; malformed, swanctl would not load it. An included file
// that cannot be read is left out, as swanctl does.
[[nodiscard]] Result<LoadedStrongswan> load_strongswan(const std::string& file);

}  // namespace vpnha::adapters
