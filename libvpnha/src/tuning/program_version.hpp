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
    // The row is about this version and later ones. Of several rows of a package, which stand in
    // the order of their series, the last one that fits counts: releases are mended apart from each
    // other.
    std::string_view from = {};  // Empty: of all.
};

}  // namespace vpnha::tuning
