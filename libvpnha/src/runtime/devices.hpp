// SPDX-License-Identifier: GPL-2.0-or-later
// The devices of the gateways: one that is new gets its gate again, one whose gate somebody has
// taken off gets it back, and the node hears of their carriers. A gate that the kernel refuses is
// tried again each second; a node that serves does not do so without it. Addresses and policy rules
// that are gone, with a device, because it was set down, or because somebody has removed them, come
// back as long as this node serves: news of a release's own removals come when it does no more.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "adapters/gate.hpp"
#include "adapters/link_watch.hpp"
#include "adapters/neighbour_watch.hpp"
#include "adapters/qb_loop.hpp"
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
        // The node tells the neighbours: its addresses are back.
        std::function<void(GatewayId)> announce;
        std::function<void(GatewayId, LinkSide, bool carrier)> on_carrier;
        // This node serves, and what would silence it is not there: nothing more may be done.
        std::function<void(const Error&)> broken;
    };

    // Devices without a carrier are told at once.
    [[nodiscard]] static Result<std::unique_ptr<Devices>> watch(adapters::QbLoop& loop,
                                                                Daemon daemon);
    ~Devices();
    Devices(const Devices&) = delete;
    Devices& operator=(const Devices&) = delete;

  private:
    Devices(adapters::QbLoop& loop, Daemon daemon) : loop_(loop), daemon_(std::move(daemon)) {}
    [[nodiscard]] adapters::LinkWatch::Listener listener();
    void on_new(const std::string& interface);
    void on_filters_removed(const std::string& interface);
    void on_carrier(const std::string& interface, bool carrier);
    // False when the gateway may speak, or be spoken to, by a device that has no gate.
    bool attach_gate(const config::Gateway& gateway);
    [[nodiscard]] bool lets_pass(GatewayId gateway) const;
    void attach_gates_again();
    // What is missing of the gateways on that device; of all of them.
    void bring_back(const std::string& interface);
    void bring_back_all();
    void bring_back(const config::Gateway& gateway, bool announce);
    // Where there is none, nobody would hear an announcement: its return announces.
    [[nodiscard]] bool has_carrier(const std::string& interface) const {
        return !without_carrier_.contains(interface);
    }

    adapters::QbLoop& loop_;
    Daemon daemon_;
    std::set<std::string> without_carrier_;
    std::set<GatewayId> ungated_;
    std::set<GatewayId> failed_;  // What is missing could not be brought back yet.
    std::unique_ptr<adapters::LinkWatch> links_;
};

}  // namespace vpnha::runtime
