// SPDX-License-Identifier: GPL-2.0-or-later
// How many networks are behind the clients of sessions that are installed here, by gateway and
// family: the first one needs a rule that leads packets to it, and the last one takes it away.
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

// Those of the networks that lie in no pool: rules for the pools lead to the others.
[[nodiscard]] std::vector<IpPrefix> networks_outside(const std::vector<IpPrefix>& pools,
                                                     const std::vector<IpPrefix>& networks);

class ClientNetworks {
  public:
    // The first network of that family is coming, or the last one is gone.
    using Lead = std::function<Result<void>(GatewayId, bool is_v6, bool are_there)>;

    explicit ClientNetworks(Lead lead) : lead_(std::move(lead)) {}

    // They count whatever `lead` returns, whose first error this is.
    [[nodiscard]] Result<void> add(GatewayId gateway, const std::vector<IpPrefix>& networks);
    // What add() has counted.
    void remove(GatewayId gateway, const std::vector<IpPrefix>& networks);

  private:
    Lead lead_;
    std::map<std::pair<GatewayId, bool>, std::size_t> counts_;  // And IPv6 or not.
};

}  // namespace vpnha::ppp
