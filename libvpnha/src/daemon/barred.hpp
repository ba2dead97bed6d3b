// SPDX-License-Identifier: GPL-2.0-or-later
// Devices that refuse the gate and are barred instead (host/gate/barred_devices.hpp),
// while this vpnhad runs. After each further refusal, a thread checks
// them: whether one carries a gateway by now, and whether the table of
// nftables still exists. It is a thread because a node may have a million
// routes, and nftables waits while somebody loads a large ruleset.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "host/gate/barred_devices.hpp"
#include "host/os/background.hpp"
#include "host/os/qb_loop.hpp"

namespace vpnha::runtime {

class Barred {
  public:
    struct Daemon {
        const config::Config& config;
        // All of the node's.
        std::function<std::vector<adapters::Link>()> devices;
        // It carries a gateway, or cannot be barred: it is forgotten here.
        std::function<void(const adapters::RefusedDevice&)> on_left;
        // All others are barred.
        std::function<void()> on_settled;
    };
    struct Device {
        adapters::RefusedDevice refused;
        bool is_barred = false;
        int failures = 0;  // In a row.
    };

    Barred(adapters::QbLoop& loop, Daemon daemon)
        : loop_(loop), daemon_(std::move(daemon)), background_(loop) {}

    // It refused the gate, for the first time or again.
    void refuse(const adapters::Link& link, const Error& reason);
    // It has the gate, needs none, or is gone. True: it was barred.
    bool forget(adapters::LinkIndex link);
    [[nodiscard]] bool contains(adapters::LinkIndex link) const { return devices_.contains(link); }
    [[nodiscard]] const std::map<adapters::LinkIndex, Device>& devices() const { return devices_; }
    // False: it is not known yet what passes on one of them.
    [[nodiscard]] bool is_settled() const;

  private:
    void look();
    void finish(const adapters::BarredDevices& outcome);

    adapters::QbLoop& loop_;
    Daemon daemon_;
    std::map<adapters::LinkIndex, Device> devices_;
    bool is_looking_ = false;
    bool again_ = false;
    adapters::Background background_;  // Its thread ends first.
};

}  // namespace vpnha::runtime
