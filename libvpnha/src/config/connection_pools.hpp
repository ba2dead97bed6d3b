// SPDX-License-Identifier: GPL-2.0-or-later
// The pools of virtual addresses that charon's connections name, against those of its plugin ha and
// the routes of vpnha.toml. Pure: sections in, findings out.
#pragma once

#include <string>
#include <vector>

#include "base/ip.hpp"
#include "config/strongswan_file.hpp"

namespace vpnha::config {

// A sentence for each pool that would give no address, that another node assigns from as well, or
// that no route leads to. `connections`: of swanctl.conf, `settings`: of strongswan.conf, both as
// with_references() returns them; `routed`: virtual_pools of the gateway.
[[nodiscard]] std::vector<std::string> findings_in_pools(const StrongswanSection& connections,
                                                         const StrongswanSection& settings,
                                                         const std::vector<IpPrefix>& routed);

}  // namespace vpnha::config
