// SPDX-License-Identifier: GPL-2.0-or-later
// The runs of the checker: pairs of features, each within its bounds.
#pragma once

#include <span>

#include "checker/world.hpp"

namespace vpnha::checker {

[[nodiscard]] std::span<const Run> all_runs();

}  // namespace vpnha::checker
