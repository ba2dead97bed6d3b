// SPDX-License-Identifier: GPL-2.0-or-later
// What a check looks at in the network namespace of each gateway.
#pragma once

#include <functional>
#include <string>

#include "config/config.hpp"

namespace vpnha::adapters {

// `part`: with the gateways of that namespace alone. `where`: for the words of a finding; empty in
// the host's, which is where this process is.
using LookAtNetwork =
    std::function<Result<void>(const config::Config& part, const std::string& where)>;

// Errors: of the first look that fails; of a namespace that is not there, or not to be entered.
[[nodiscard]] Result<void> in_each_network(const config::Config& config, const LookAtNetwork& look);

}  // namespace vpnha::adapters
