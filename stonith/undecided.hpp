// SPDX-License-Identifier: GPL-2.0-or-later
// Levels of the fencing topology in which nothing switches the victim off. To Pacemaker a node is
// fenced when all devices of a level have succeeded, or, where no topology has it, any one device:
// those in mode=yield and mode=confirm do so though nobody is off, and those in mode=duel end the
// gateways of the victim alone.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "vpnha/result.hpp"

namespace vpnha::stonith {

// What is wrong, in words; empty: in each level that has such a device another one decides, before
// any mode=confirm, and each such device is in a level. Error malformed: it is no XML.
[[nodiscard]] Result<std::vector<std::string>> undecided_in(std::string_view configuration);

// Error unsupported: something is. Any other: the configuration cannot be read in time.
[[nodiscard]] Result<void> refuse_undecided(const std::string& cibadmin,
                                            std::chrono::milliseconds timeout);

}  // namespace vpnha::stonith
