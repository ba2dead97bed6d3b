// SPDX-License-Identifier: GPL-2.0-or-later
// The output of `vpnha config tuning`.
#pragma once

#include <string>

namespace vpnha::cli {

[[nodiscard]] std::string render_tuning(bool use_colour);

}  // namespace vpnha::cli
