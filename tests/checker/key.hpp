// SPDX-License-Identifier: GPL-2.0-or-later
// The identity of a world: two with equal keys have the same future, and are visited once. Times
// count from each node's now, those that are over are equal, and round numbers count from the
// newest. What no event of the run reads is left out.
#pragma once

#include "checker/prints.hpp"
#include "checker/world.hpp"

namespace vpnha::checker {

[[nodiscard]] Print key_of(const Run& run, const World& world);

}  // namespace vpnha::checker
