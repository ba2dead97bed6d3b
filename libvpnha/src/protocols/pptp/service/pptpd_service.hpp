// SPDX-License-Identifier: GPL-2.0-or-later
// Stock pptpd as a stock service of a gateway, with the pptpctrl of each client and its pppd.
//
// It is started by start-pptpd (agents/start_pptpd.cpp), which ensures that two nodes never use the
// same call ids. Its clients never receive an end: the gate drops what the sockets of a killed
// pptpctrl send. Their remains are destroyed, because they would receive the packets of sessions
// that are resumed here later.
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

// Whether this node could start it: the programs, the kernel's setting and the configuration.
[[nodiscard]] Result<void> check_pptpd(const PptpdSettings& settings);
// What `service` is to be started with.
[[nodiscard]] Result<StockStarted> plan_pptpd(const StockService& service,
                                              const PptpdSettings& settings);

}  // namespace vpnha::adapters
