// SPDX-License-Identifier: GPL-2.0-or-later
// Network devices that come and go under a name: whoever creates a gateway's device anew (a driver,
// a bond, networkd) takes away its gate and its addresses with the old one. Their filters: whoever
// removes them (tc qdisc del … clsact) removes the gate. Their addresses, which go when somebody
// deletes them, and in IPv6 also when the device is set down; and policy rules. And their carriers:
// a device has one when it is set up and its link is.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "adapters/qb_loop.hpp"

namespace vpnha::adapters {

class LinkWatch {
  public:
    struct Listener {
        // A device of one of these names is there that was not before; after the kernel's news were
        // lost (the socket overran), called for each of them.
        std::function<void(const std::string& interface)> on_new;
        // A filter of it, or what filters are attached to, was removed.
        std::function<void(const std::string& interface)> on_filters_removed;
        // An address of it was removed, whose ever, and by whomever: also by this process.
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

  private:
    struct State;
    explicit LinkWatch(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace vpnha::adapters
