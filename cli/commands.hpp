// SPDX-License-Identifier: GPL-2.0-or-later
// The verbs of vpnha(8). None of them promotes: only Pacemaker decides that.
#pragma once

#include <iosfwd>

namespace vpnha::cli {

// Runs the command line and returns its exit code (exit_code.hpp).
[[nodiscard]] int run(int argc, const char* const* argv, std::ostream& out, std::ostream& err);

}  // namespace vpnha::cli
