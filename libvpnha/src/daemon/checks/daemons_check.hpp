// SPDX-License-Identifier: GPL-2.0-or-later
// Whether the settings of the gateways' stock daemons make their sessions reach vpnhad: a pppd
// without the plugin reports nothing, and a session is recorded with the address and port of the
// configuration.
#pragma once

#include <string>

#include "config/config.hpp"
#include "host/services/stock_service.hpp"
#include "vpnha/daemon.hpp"

namespace vpnha::runtime {

struct DaemonPlaces {
    std::string run_root = adapters::StockService::kRunRoot;
    std::string ppp = "/etc/ppp";  // With pppd's file `options`, and `peers`.
};

// Checks stock daemons as their agents started them on this node, if they did, and the files
// `ppp_options` with their included files.
[[nodiscard]] DaemonsCheck find_in_daemons(const config::Config& config,
                                           const DaemonPlaces& places = {});

}  // namespace vpnha::runtime
