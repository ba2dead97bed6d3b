// SPDX-License-Identifier: GPL-2.0-or-later
// Runs a check in the network namespace of each gateway.
#pragma once

#include <functional>
#include <string>

#include "config/config.hpp"

namespace vpnha::adapters {

// `part`: with the gateways of that namespace alone. `where`: for the text of a finding; empty in
// the host's namespace, where this process is.
using LookAtNetwork =
    std::function<Result<void>(const config::Config& part, const std::string& where)>;

// Errors: of the first check that fails; of a namespace that is missing or cannot be entered.
[[nodiscard]] Result<void> in_each_network(const config::Config& config, const LookAtNetwork& look);

}  // namespace vpnha::adapters
