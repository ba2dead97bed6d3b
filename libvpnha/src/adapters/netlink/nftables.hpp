// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "vpnha/result.hpp"

namespace vpnha::adapters {

// What nft does with a file: all of its commands take place, or none. In libnftables' JSON, or in
// the words of nft. `unsupported`: this node has no libnftables.
[[nodiscard]] Result<void> run_nftables(const std::string& commands);
// Is there such a table of the family inet? Within some microseconds.
[[nodiscard]] Result<bool> has_nft_table(const std::string& name);

}  // namespace vpnha::adapters
