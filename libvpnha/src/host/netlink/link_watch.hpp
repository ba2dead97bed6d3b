// SPDX-License-Identifier: GPL-2.0-or-later
// Watches network devices. All devices: new ones, and changes of their kind. The
// gateways' devices, by name: a program that creates one anew (a driver, a bond,
// networkd) removes its gate and its addresses with the old one. Their addresses,
// which are lost when somebody deletes them, and in IPv6 also when the device is
// set down; and policy rules. Their carriers: a device has one when it is set up and
// its link is. And the filters of all devices: removing them (tc qdisc del … clsact)
// removes the gate, and an added one may precede it. (Programs of tcx cause no events.)
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/netlink/netlink_route.hpp"
#include "host/os/qb_loop.hpp"

namespace vpnha::adapters {

class LinkWatch {
  public:
    struct Listener {
        // For any device: it is new, has another name, or has become or ceased to be a port. Called
        // within open() for all devices, and for all of them after the kernel's events were lost
        // (the socket overran). Called before on_new.
        std::function<void(const Link& link)> on_device;
        // A device of one of these names exists that did not before.
        std::function<void(const std::string& interface)> on_new;
        // Some of the kernel's events were lost. The present devices have been read; filters,
        // addresses and rules may be gone.
        std::function<void()> on_news_lost;
        // For any device: a filter that runs first was added, a filter was removed, or the qdisc of
        // the filters was.
        std::function<void(const Link& link)> on_filters_changed;
        // An address of such a device was removed, whichever, and by any program, including this
        // process.
        std::function<void(const std::string& interface)> on_addresses_removed;
        // A policy rule was removed.
        std::function<void()> on_rules_removed;
        // Its carrier came or went; a device that does not exist has none. Called within open() for
        // those that have none.
        std::function<void(const std::string& interface, bool carrier)> on_carrier;
    };

    [[nodiscard]] static Result<std::unique_ptr<LinkWatch>> open(
        QbLoop& loop, const std::vector<std::string>& interfaces, Listener listener);
    ~LinkWatch();
    LinkWatch(const LinkWatch&) = delete;
    LinkWatch& operator=(const LinkWatch&) = delete;
    // All devices that are there.
    void for_each_device(const std::function<void(const Link&)>& on_link) const;

  private:
    struct State;
    explicit LinkWatch(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace vpnha::adapters
