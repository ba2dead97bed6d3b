// SPDX-License-Identifier: GPL-2.0-or-later
// xl2tpd and its pppds as a stock service of a gateway.
//
// The daemon is never asked to end: on SIGTERM it would send StopCCN to its peers, and a pppd that
// dies before xl2tpd makes it send CDN. So xl2tpd gets SIGKILL first, then its pppds.
#pragma once

#include <cstdint>
#include <string>

#include "host/services/stock_service.hpp"
#include "protocols/l2tp/service/xl2tpd_lns.hpp"

namespace vpnha::adapters {

// A session takes some 10 KiB of it.
inline constexpr std::uint64_t kXl2tpdMemoryMinMib = 16;

struct Xl2tpdSettings {
    std::string binary;
    std::string config;        // xl2tpd.conf; its listen-addr is the gateway's VIP.
    std::string options_file;  // Of its pppds; empty: those named in the config.
    std::string resource;      // Its name in the cluster.
    // Its limit of memory, in MiB. Above three quarters of it xl2tpd is to be started anew.
    std::string memory_max = std::to_string(kXl2tpdMemoryMinMib);
};

[[nodiscard]] const StockKind& xl2tpd_kind();

// Whether this node could start it: the program, the kernel's setting and the configuration.
[[nodiscard]] Result<void> check_xl2tpd(const Xl2tpdSettings& settings);
// What `service` is to be started with.
[[nodiscard]] Result<StockStarted> plan_xl2tpd(const StockService& service,
                                               const Xl2tpdSettings& settings);

// The settings with which the gateway's xl2tpd, which is to run here, serves its callers. Errors:
// it is not to run; it has several [lns], and only xl2tpd knows which applies to a caller.
[[nodiscard]] Result<Xl2tpdLns> running_lns(const std::string& gateway,
                                            const std::string& run_root = StockService::kRunRoot);

}  // namespace vpnha::adapters
