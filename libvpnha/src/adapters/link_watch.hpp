// SPDX-License-Identifier: GPL-2.0-or-later
// Network devices that come and go under a name: whoever creates a gateway's device anew (a driver,
// a bond, networkd) takes away its gate and its addresses with the old one.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "adapters/qb_loop.hpp"

namespace vpnha::adapters {

class LinkWatch {
  public:
    using OnNew = std::function<void(const std::string& interface)>;

    // `on_new` is called when a device of one of these names is there that was not before; after
    // the kernel's news were lost (the socket overran), for each of them.
    [[nodiscard]] static Result<std::unique_ptr<LinkWatch>> open(
        QbLoop& loop, const std::vector<std::string>& interfaces, OnNew on_new);
    ~LinkWatch();
    LinkWatch(const LinkWatch&) = delete;
    LinkWatch& operator=(const LinkWatch&) = delete;

  private:
    struct State;
    explicit LinkWatch(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace vpnha::adapters
