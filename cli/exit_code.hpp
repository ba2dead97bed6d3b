// SPDX-License-Identifier: GPL-2.0-or-later
// Exit codes of vpnha(8): scripts depend on them, so they never change.
#pragma once

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

}  // namespace vpnha::cli
