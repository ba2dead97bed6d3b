// SPDX-License-Identifier: GPL-2.0-or-later
// The least versions of other programs that a gateway needs. The table is here alone; a test
// compares docs/operate/versions.md with it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vpnha/daemon.hpp"

namespace vpnha::runtime {

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

[[nodiscard]] std::span<const ProgramVersion> program_versions();

// Those that are older, by the rules of deb-version(7), which dpkg knows. A program that is not
// installed is not among them. `packages`: "NAME STATUS VERSION" a line, as read_packages() has
// them. `kernel`: the release that runs. Error: dpkg cannot be asked.
[[nodiscard]] Result<std::vector<OldProgram>> find_old_programs(std::string_view packages,
                                                                const std::string& kernel);

// All packages that this node knows. Error: there is no dpkg.
[[nodiscard]] Result<std::string> read_packages();
[[nodiscard]] std::string kernel_release();

}  // namespace vpnha::runtime
