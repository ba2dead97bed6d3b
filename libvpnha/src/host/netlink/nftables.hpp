// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <set>
#include <string>

#include "vpnha/result.hpp"

namespace vpnha::adapters {

// What nft does with a file: all of its commands take place, or none. In libnftables' JSON, or in
// the words of nft. `unsupported`: this node has no libnftables.
[[nodiscard]] Result<void> run_nftables(const std::string& commands);
// All rules of this network namespace, in libnftables' JSON.
[[nodiscard]] Result<std::string> list_nft_rules();
// Is there such a table of the family inet? Within some microseconds.
[[nodiscard]] Result<bool> has_nft_table(const std::string& name);
// The chains of that table of the family netdev; empty when there is no such table.
[[nodiscard]] Result<std::set<std::string>> netdev_chains(const std::string& table);

}  // namespace vpnha::adapters
