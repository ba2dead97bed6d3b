// SPDX-License-Identifier: GPL-2.0-or-later
// The number of networks behind the clients of installed sessions, by gateway and family. The first
// one needs a rule that routes packets to it, and the last one removes the rule.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "base/ip.hpp"
#include "vpnha/result.hpp"

namespace vpnha::ppp {

// The networks that lie in no pool: rules for the pools cover the others.
[[nodiscard]] std::vector<IpPrefix> networks_outside(const std::vector<IpPrefix>& pools,
                                                     const std::vector<IpPrefix>& networks);

class ClientNetworks {
  public:
    // The first network of that family is coming, or the last one is gone.
    using Lead = std::function<Result<void>(GatewayId, bool is_v6, bool are_there)>;

    explicit ClientNetworks(Lead lead) : lead_(std::move(lead)) {}

    // They count whatever `lead` returns; returns its first error.
    [[nodiscard]] Result<void> add(GatewayId gateway, const std::vector<IpPrefix>& networks);
    // Removes networks that add() has counted.
    void remove(GatewayId gateway, const std::vector<IpPrefix>& networks);

  private:
    Lead lead_;
    std::map<std::pair<GatewayId, bool>, std::size_t> counts_;  // And IPv6 or not.
};

}  // namespace vpnha::ppp
