// SPDX-License-Identifier: GPL-2.0-or-later
// Sessions that wait to be installed: first come, first served, each once. A snapshot of thousands
// must hold up neither the group's messages nor a promotion, so they are worked off in slices. One
// asked for anew while it waits is installed in its newest form, at its old place.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "node/effects.hpp"

namespace vpnha::runtime {

class InstallQueue {
  public:
    void add(node::InstallSession wanted);
    void drop(GatewayId gateway, const l2tp::SessionKey& key);
    void drop(GatewayId gateway);
    [[nodiscard]] std::optional<node::InstallSession> take();

    [[nodiscard]] bool empty() const { return waiting_.empty(); }
    [[nodiscard]] std::size_t size(GatewayId gateway) const;

  private:
    std::uint64_t next_number_ = 0;
    std::map<std::uint64_t, node::InstallSession> waiting_;
    std::map<std::pair<GatewayId, l2tp::SessionKey>, std::uint64_t> numbers_;
};

}  // namespace vpnha::runtime
