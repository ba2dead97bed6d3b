// SPDX-License-Identifier: GPL-2.0-or-later
// The addresses, policy rules and routes of a promotion (ports/network.hpp), by rtnetlink.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "config/config.hpp"
#include "host/netlink/netlink_route.hpp"
#include "ports/network.hpp"

namespace vpnha::adapters {

class LinuxNetwork final : public ports::Network {
  public:
    // `config` must outlive the network.
    [[nodiscard]] static Result<LinuxNetwork> create(const config::Config& config);

    Result<void> add_addresses(GatewayId gateway) override;
    Result<void> remove_addresses(GatewayId gateway) override;
    [[nodiscard]] Result<std::string> missing(GatewayId gateway) override;
    Result<void> forget_unresolved(GatewayId gateway) override;
    Result<void> announce(GatewayId gateway) override;

    // Whether sessions of a protocol that are installed here have networks of that family behind
    // their clients, outside of the pools: they need one more rule while the addresses are here.
    // Each protocol takes back its own call.
    Result<void> set_networks(GatewayId gateway, bool is_v6, bool are_there);

    // For a start, and for an agent beside a dead vpnhad: removes each VIP of the gateway from any
    // device, with whatever prefix length, and each of its rules, whoever added them. Reads all
    // addresses of the node, unlike remove_addresses().
    Result<void> flush(GatewayId gateway);

  private:
    LinuxNetwork(const config::Config& config, RouteNetlink route)
        : config_(&config), route_(std::move(route)) {}
    [[nodiscard]] Result<const config::Gateway*> find(GatewayId gateway) const;
    [[nodiscard]] std::vector<PolicyRule> rules_of(const config::Gateway& gateway) const;
    Result<void> delete_routing(const config::Gateway& gateway);

    const config::Config* config_;
    RouteNetlink route_;
    std::set<GatewayId> has_addresses_;
    // How many protocols have set it; by gateway, and IPv6 or not.
    std::map<std::pair<GatewayId, bool>, std::size_t> with_networks_;
};

}  // namespace vpnha::adapters
