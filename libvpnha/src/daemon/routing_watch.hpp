// SPDX-License-Identifier: GPL-2.0-or-later
// Checks each ten seconds whether another program uses a table or preference of the gateways
// (host/addresses/routing_conflicts.hpp): in a thread, as a table may have the routes of ten
// thousand sessions. The first check is made at once.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "host/addresses/routing_conflicts.hpp"
#include "host/os/background.hpp"
#include "host/os/qb_loop.hpp"

namespace vpnha::runtime {

class RoutingWatch {
  public:
    // It has conflicts, others than before, or none any more.
    using OnChange = std::function<void(GatewayId, const std::vector<std::string>&)>;

    // `loop` and `config` must outlive it.
    RoutingWatch(adapters::QbLoop& loop, const config::Config& config, OnChange on_change);
    ~RoutingWatch();
    RoutingWatch(const RoutingWatch&) = delete;
    RoutingWatch& operator=(const RoutingWatch&) = delete;

    // As the last check found them.
    [[nodiscard]] std::vector<std::string> conflicts(GatewayId gateway) const;

  private:
    void look();
    void look_later();
    void take(const adapters::RoutingConflicts& found);

    adapters::QbLoop& loop_;
    const config::Config& config_;
    OnChange on_change_;
    adapters::RoutingConflicts conflicts_;
    std::string error_;                // Of the last check.
    adapters::Background background_;  // Its thread ends first.
};

}  // namespace vpnha::runtime
