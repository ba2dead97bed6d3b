// SPDX-License-Identifier: GPL-2.0-or-later
// The stock daemons that a gateway may have, whichever of them this node runs. One that was not
// started is stopped, and whatever is asked of it succeeds.
#pragma once

#include <string>
#include <vector>

#include "host/services/stock_service.hpp"

namespace vpnha::adapters {

[[nodiscard]] std::vector<StockService> gateway_services(
    const std::string& gateway, const std::string& run_root = StockService::kRunRoot);

// All of them are tried; the first error counts.
[[nodiscard]] Result<void> for_each_service(std::vector<StockService> services,
                                            Result<void> (StockService::*action)());

}  // namespace vpnha::adapters
