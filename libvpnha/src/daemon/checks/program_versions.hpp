// SPDX-License-Identifier: GPL-2.0-or-later
// The least versions of other programs that a gateway needs: those of its protocols, from their
// folders, and those of each gateway. A test compares docs/operate/versions.md with them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tuning/program_version.hpp"
#include "vpnha/daemon.hpp"

namespace vpnha::runtime {

[[nodiscard]] const std::vector<tuning::ProgramVersion>& program_versions();

// Older programs, by the rules of deb-version(7), which dpkg knows. A program that is not installed
// is not among them. `packages`: "NAME STATUS VERSION" a line, as from read_packages(). `kernel`:
// the running release. Error: dpkg cannot be called.
[[nodiscard]] Result<std::vector<OldProgram>> find_old_programs(std::string_view packages,
                                                                const std::string& kernel);

// All packages that this node knows. Error: there is no dpkg.
[[nodiscard]] Result<std::string> read_packages();
[[nodiscard]] std::string kernel_release();

}  // namespace vpnha::runtime
