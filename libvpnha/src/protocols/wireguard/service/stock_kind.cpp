// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/gateway_services.hpp"

namespace vpnha::wireguard {

// The kernel has all sessions.
const adapters::StockKind* stock_kind() {
    return nullptr;
}

}  // namespace vpnha::wireguard
