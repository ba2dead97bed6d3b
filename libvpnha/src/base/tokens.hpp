// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

namespace vpnha {

// One call of an agent or CLI that waits for its answer; numbered by the caller.
using RequestToken = std::uint64_t;
// One pppd of this node, for as long as its plugin's connection lives; numbered by the caller.
using PluginToken = std::uint64_t;

}  // namespace vpnha
