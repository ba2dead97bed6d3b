// SPDX-License-Identifier: GPL-2.0-or-later
// The stock daemons that a gateway may have, whichever of them this node runs. A daemon that was
// not started counts as stopped, and each action on it succeeds.
#pragma once

#include <string>
#include <vector>

#include "host/services/stock_service.hpp"
#include "protocols/list.hpp"

namespace vpnha::adapters {

[[nodiscard]] std::vector<StockService> gateway_services(
    const std::string& gateway, const std::string& run_root = StockService::kRunRoot);

// All of them are tried; the first error counts.
[[nodiscard]] Result<void> for_each_service(std::vector<StockService> services,
                                            Result<void> (StockService::*action)());

}  // namespace vpnha::adapters

namespace vpnha {

// nullptr: its sessions have no stock daemon.
#define VPNHA_STOCK_KIND(protocol)                                \
    namespace protocol {                                          \
    [[nodiscard]] const vpnha::adapters::StockKind* stock_kind(); \
    }
VPNHA_PROTOCOLS(VPNHA_STOCK_KIND)
#undef VPNHA_STOCK_KIND

}  // namespace vpnha
