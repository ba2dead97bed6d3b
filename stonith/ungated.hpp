// SPDX-License-Identifier: GPL-2.0-or-later
// Resources that continue to run on a node whose leases were taken away: all that vpnha's gate does
// not cover.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "vpnha/result.hpp"

namespace vpnha::stonith {

// The ids of primitives, their templates and bundles in the XML of a CIB's resources that are
// neither fencing devices nor what vpnha's gate stands before: of vpnha's, ocf:vpnha:vip, and
// ocf:vpnha:pppd unless its mode is gateway. Error malformed: it is no XML.
[[nodiscard]] Result<std::vector<std::string>> ungated_in(std::string_view resources);

// Of this node's copy of the cluster's configuration. An error when it cannot be read in time.
[[nodiscard]] Result<std::vector<std::string>> find_ungated(const std::string& cibadmin,
                                                            std::chrono::milliseconds timeout);

}  // namespace vpnha::stonith
