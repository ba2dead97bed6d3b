// SPDX-License-Identifier: GPL-2.0-or-later
// The least version of another program that a gateway needs, and why.
#pragma once

#include <string_view>

namespace vpnha::tuning {

struct ProgramVersion {
    std::string_view program;
    std::string_view package;  // Debian's.
    std::string_view least;
    std::string_view why;
    // The row applies to this version and later ones. A package may have several rows, in the order
    // of its series: the last one that fits counts, since each series of releases has its own
    // fixes.
    std::string_view from = {};  // Empty: of all.
};

}  // namespace vpnha::tuning
