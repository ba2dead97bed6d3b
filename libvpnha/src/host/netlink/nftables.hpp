// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "vpnha/result.hpp"

namespace vpnha::adapters {

// Runs the commands of a file as nft does: all of them take place, or none. In libnftables' JSON,
// or in nft's syntax. `unsupported`: this node has no libnftables.
[[nodiscard]] Result<void> run_nftables(const std::string& commands);
// The first commands of a file: they remove the table. Adding before deleting makes the deletion
// succeed if the table was not there. `family`: "inet" or "netdev".
[[nodiscard]] std::string without_nft_table(std::string_view family, std::string_view name);
// All rules of this network namespace, in libnftables' JSON.
[[nodiscard]] Result<std::string> list_nft_rules();
// Whether there is such a table of the family inet. Takes some microseconds.
[[nodiscard]] Result<bool> has_nft_table(const std::string& name);
// The chains of that table of the family netdev; empty when there is no such table.
[[nodiscard]] Result<std::set<std::string>> netdev_chains(const std::string& table);

}  // namespace vpnha::adapters
