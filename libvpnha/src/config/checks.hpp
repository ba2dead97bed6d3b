// SPDX-License-Identifier: GPL-2.0-or-later
// What the values of a configuration mean together: nothing that must be one gateway's own is given
// to two, and no address is a client's and the gateway's at once.
#pragma once

#include "config/toml_reader.hpp"

namespace vpnha::config {

// Nets out of which clients get addresses: the gate covers the pools alone, and no address is given
// twice.
void check_within_pools(const Gateway& gateway, const Section& section, std::string_view key,
                        const std::vector<IpPrefix>& nets, Errors& errors);

// Adds all contradictions to the draft's errors.
void check(Draft& draft);

}  // namespace vpnha::config
