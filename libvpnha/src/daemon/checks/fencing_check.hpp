// SPDX-License-Identifier: GPL-2.0-or-later
// Whether the cluster's fencing fits its nodes, by the CIB. fence_vpnha itself checks at its start
// which devices a level needs so that a node is really off (stonith/undecided.hpp).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vpnha/result.hpp"

namespace vpnha::runtime {

// Each with its remedy. `configuration` is its section of that name, as adapters::query_cib()
// returns it. Error malformed: the text is no XML.
[[nodiscard]] Result<std::vector<std::string>> find_in_fencing(std::string_view configuration,
                                                               bool has_witness);

}  // namespace vpnha::runtime
