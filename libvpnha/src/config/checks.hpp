// SPDX-License-Identifier: GPL-2.0-or-later
// Whether the values of a configuration fit together: no value is given to two gateways that must
// have their own, and no address is both a client's and the gateway's.
#pragma once

#include "config/toml_reader.hpp"

namespace vpnha::config {

// Nets that clients get addresses from: the gate covers the pools only, and no address is given
// twice.
void check_within_pools(const Gateway& gateway, const Section& section, std::string_view key,
                        const std::vector<IpPrefix>& nets, Errors& errors);

// Adds all contradictions to the draft's errors.
void check(Draft& draft);

}  // namespace vpnha::config
