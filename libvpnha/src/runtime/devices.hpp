// SPDX-License-Identifier: GPL-2.0-or-later
// The devices of the gateways: one that is new gets its gate and its addresses again, one whose
// gate somebody has taken off gets it back, and the node hears of their carriers.
#pragma once

#include <functional>
#include <memory>

#include "adapters/gate.hpp"
#include "adapters/link_watch.hpp"
#include "adapters/neighbour_watch.hpp"
#include "config/config.hpp"
#include "ports/network.hpp"

namespace vpnha::runtime {

class Devices {
  public:
    struct Daemon {
        const config::Config& config;
        adapters::BpfGate& gate;
        ports::Network& network;
        adapters::NeighbourWatch& neighbours;
        std::function<bool(GatewayId)> serves;
        std::function<void(GatewayId, LinkSide, bool carrier)> on_carrier;
    };

    // Devices without a carrier are told at once.
    [[nodiscard]] static Result<std::unique_ptr<Devices>> watch(adapters::QbLoop& loop,
                                                                Daemon daemon);

  private:
    explicit Devices(Daemon daemon) : daemon_(std::move(daemon)) {}
    void on_new(const std::string& interface);
    void on_filters_removed(const std::string& interface);
    void on_carrier(const std::string& interface, bool carrier);

    Daemon daemon_;
    std::unique_ptr<adapters::LinkWatch> links_;
};

}  // namespace vpnha::runtime
