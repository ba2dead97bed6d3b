// SPDX-License-Identifier: GPL-2.0-or-later
// Stock pptpd as a stock service of a gateway, with the pptpctrl of each client and its pppd.
//
// It is started by start-pptpd (agents/start_pptpd.cpp), which sees to it that the call ids of two
// nodes never meet. Its clients are never told of an end: what a killed pptpctrl's socket sends,
// the gate drops; and what is left of those sockets is destroyed, because it would take the packets
// of the sessions that are resumed here later.
#pragma once

#include <string>

#include "host/services/stock_service.hpp"

namespace vpnha::adapters {

struct PptpdSettings {
    std::string launcher;        // start-pptpd.
    std::string config;          // pptpd.conf; its `listen` is the gateway's VIP.
    std::string call_id_offset;  // Of this node; empty: by the node's id in corosync.conf.
    std::string resource;        // Its name in the cluster.
};

[[nodiscard]] const StockKind& pptpd_kind();

// Could this node start it? The programs, the kernel's setting and the configuration.
[[nodiscard]] Result<void> check_pptpd(const PptpdSettings& settings);
// What `service` is to be started with.
[[nodiscard]] Result<StockStarted> plan_pptpd(const StockService& service,
                                              const PptpdSettings& settings);

}  // namespace vpnha::adapters
