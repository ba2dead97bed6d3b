// SPDX-License-Identifier: GPL-2.0-or-later
// Exit codes of vpnha(8): scripts depend on them, so they never change.
#pragma once

#include <iosfwd>

#include "vpnha/result.hpp"

namespace vpnha::cli {

enum class ExitCode {
    ok = 0,
    failed = 1,
    usage = 2,
    unreachable = 3,
    not_permitted = 4,
    not_found = 5,
    degraded = 6,
};

[[nodiscard]] ExitCode exit_code_for(Errc code);

// Prints it on `err`; returns the exit code.
ExitCode report(const Error& error, std::ostream& err);

}  // namespace vpnha::cli
