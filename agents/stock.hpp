// SPDX-License-Identifier: GPL-2.0-or-later
// The actions that the agents of a gateway's stock daemons have in common.
#pragma once

#include <functional>
#include <string>

#include "host/services/stock_service.hpp"
#include "vpnha/ocf.hpp"

namespace vpnha::agents {

[[nodiscard]] ocf::Outcome outcome(const Result<void>& result);

// `plan` says what the service is to be started with.
[[nodiscard]] ocf::Outcome start_stock(
    const ocf::Call& call, adapters::StockService service,
    const std::function<Result<adapters::StockStarted>(const adapters::StockService&)>& plan);
[[nodiscard]] ocf::Outcome stop_stock(const ocf::Call& call, adapters::StockService service);
// `death` is the reason that a dead daemon is reported with.
[[nodiscard]] ocf::Outcome monitor_stock(const adapters::StockService& service,
                                         adapters::StockService::Depth depth,
                                         const std::string& death);

}  // namespace vpnha::agents
