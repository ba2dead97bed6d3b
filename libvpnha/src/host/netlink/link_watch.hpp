// SPDX-License-Identifier: GPL-2.0-or-later
// Network devices. Of all: those that come, and change what they are. Of those of given names, the
// gateways': whoever creates one anew (a driver, a bond, networkd) takes away its gate and its
// addresses with the old one. Their addresses, which go when somebody deletes them, and in IPv6
// also when the device is set down; and policy rules. Their carriers: a device has one when it is
// set up and its link is. And the filters of all devices: whoever removes them (tc qdisc del …
// clsact) removes the gate, whoever adds one may stand before it. (Programs of tcx come and go
// unsent.)
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
        // Of any device: it is there and was not before, or has another name, or has become or
        // ceased to be a port. Called within open() for all devices, and for all of them after the
        // kernel's news were lost (the socket overran). Before on_new.
        std::function<void(const Link& link)> on_device;
        // A device of one of these names is there that was not before.
        std::function<void(const std::string& interface)> on_new;
        // Some of the kernel's news were lost. The devices that are there have been looked at;
        // filters, addresses and rules may be gone.
        std::function<void()> on_news_lost;
        // Of any device: a filter that runs first was added, a filter was removed, or what filters
        // are attached to.
        std::function<void(const Link& link)> on_filters_changed;
        // An address of such a device was removed, whose ever, and by whomever: also by this
        // process.
        std::function<void(const std::string& interface)> on_addresses_removed;
        // A policy rule was.
        std::function<void()> on_rules_removed;
        // Its carrier came or went; a device that is not there has none. Called within open() for
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
