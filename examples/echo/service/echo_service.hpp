// SPDX-License-Identifier: GPL-2.0-or-later
// The stock daemon beside the responder: any echo server of RFC 862. It has no sessions, so that it
// may be ended and started again as it is.
#pragma once

#include "host/services/stock_service.hpp"

namespace vpnha::echo {

// `program` with its arguments; it answers until it gets SIGTERM.
[[nodiscard]] adapters::StockStarted plan_echod(std::vector<std::string> program);

}  // namespace vpnha::echo
