// SPDX-License-Identifier: GPL-2.0-or-later
// The node's devices. A new one gets the gate if it needs it. A device whose gate somebody has
// removed, or put another program before, gets it back. A gate that the kernel refuses is tried
// again each second. Meanwhile the device is barred (daemon/barred.hpp); if it carries a gateway it
// is not barred, and a node that serves ends. The node receives the carriers of the gateways' own
// devices. Addresses and policy rules are lost with a device, or when it is set down, or because
// somebody removes them. They are restored as long as this node serves: events about a release's
// own removals come after that. Settings that another program removes repeatedly are restored 20
// times at once, and then once a second.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/burst.hpp"
#include "config/config.hpp"
#include "daemon/barred.hpp"
#include "host/addresses/neighbour_watch.hpp"
#include "host/gate/gate.hpp"
#include "host/netlink/link_watch.hpp"
#include "host/os/qb_loop.hpp"
#include "ports/network.hpp"

namespace vpnha::runtime {

// A device that does not have the gate first, or would not.
struct DeviceWarning {
    std::string interface;
    std::string_view state;  // "barred", "refused", or "port": it needs the gate when it leaves.
    std::string reason;      // With the remedy.
};

class Devices {
  public:
    struct Daemon {
        const config::Config& config;
        adapters::BpfGate& gate;
        ports::Network& network;
        adapters::NeighbourWatch& neighbours;
        std::function<bool(GatewayId)> serves;
        // The node notifies the neighbours: its addresses are back.
        std::function<void(GatewayId)> announce;
        std::function<void(GatewayId, LinkSide, bool carrier)> on_carrier;
        // This node serves without its gate, which would silence it: nothing more may be done.
        std::function<void(const Error&)> broken;
    };

    // Devices without a carrier are reported at once.
    [[nodiscard]] static Result<std::unique_ptr<Devices>> watch(adapters::QbLoop& loop,
                                                                Daemon daemon);
    ~Devices();
    Devices(const Devices&) = delete;
    Devices& operator=(const Devices&) = delete;
    [[nodiscard]] std::vector<DeviceWarning> warnings() const;

  private:
    Devices(adapters::QbLoop& loop, Daemon daemon);
    [[nodiscard]] adapters::LinkWatch::Listener listener();
    void on_device(const adapters::Link& link);
    // The next device that is new or has changed.
    void take_changed();
    void on_new(const std::string& interface);
    void on_news_lost();
    // Checks whether the gate is still the first program of that device, and restores it.
    void check_gate(const adapters::Link& link);
    void check_gates();
    // False if somebody removes it repeatedly: then once a second.
    bool may_put_back(const adapters::Link& link);
    void on_carrier(const std::string& interface, bool carrier);
    void attach_gate(const adapters::Link& link);
    // Packets of a gateway may pass on the device.
    void on_refused(const adapters::RefusedDevice& device);
    void on_barred();
    [[nodiscard]] bool lets_pass(const adapters::Link& link) const;
    [[nodiscard]] bool serves() const;
    void attach_gates_again();
    // Missing settings of the gateways on that device; of all of them.
    void bring_back(const std::string& interface);
    void bring_back_all();
    void bring_back(const config::Gateway& gateway, bool announce);
    // Without one, nobody would receive an announcement: its return announces.
    [[nodiscard]] bool has_carrier(const std::string& interface) const {
        return !without_carrier_.contains(interface);
    }

    adapters::QbLoop& loop_;
    Daemon daemon_;
    std::set<std::string> without_carrier_;
    std::map<adapters::LinkIndex, adapters::Link> changed_;  // Not checked yet.
    // The kernel refused their gate, and they are not barred.
    std::map<adapters::LinkIndex, adapters::RefusedDevice> ungated_;
    Barred barred_;
    std::map<adapters::LinkIndex, Burst> gate_bursts_;  // Of devices whose gate was put back.
    std::map<GatewayId, Burst> address_bursts_;
    std::set<GatewayId> failed_;  // Missing settings could not be restored yet.
    std::unique_ptr<adapters::LinkWatch> links_;
};

}  // namespace vpnha::runtime
