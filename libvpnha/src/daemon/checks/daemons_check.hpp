// SPDX-License-Identifier: GPL-2.0-or-later
// Whether the stock daemons of the gateways are set so that their sessions come to vpnhad: a pppd
// without the plugin tells it nothing, and a session is recorded with the address and port that the
// configuration has.
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

// Of stock daemons as their agents started them on this node, if they did, and of the files
// `ppp_options` with what those include.
[[nodiscard]] DaemonsCheck find_in_daemons(const config::Config& config,
                                           const DaemonPlaces& places = {});

}  // namespace vpnha::runtime
