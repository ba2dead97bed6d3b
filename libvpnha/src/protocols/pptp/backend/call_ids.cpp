// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/backend/call_ids.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "host/os/qb_loop.hpp"
#include "protocols/pptp/model/call_shares.hpp"
#include "protocols/pptp/table.hpp"
#include "protocols/tables.hpp"
#include "vpnha/daemon.hpp"

namespace vpnha::runtime {

std::vector<std::string> shared_call_ids(const std::vector<adapters::ClusterNode>& nodes) {
    const auto named = [](const adapters::ClusterNode& node) {
        return node.name.empty() ? fmt::format("node {}", node.id.value)
                                 : fmt::format("{} ({})", node.name, node.id.value);
    };
    std::map<std::uint32_t, const adapters::ClusterNode*> first;
    std::vector<std::string> found;
    for (const adapters::ClusterNode& node : nodes) {
        const auto [it, is_first] = first.try_emplace(pptp::call_id_offset(node.id), &node);
        if (!is_first) {
            found.push_back(fmt::format(
                "{} and {} give out the same call ids of PPTP, as their ids in corosync.conf are "
                "equal modulo {}: give one of them another id, or set call_id_offset of "
                "ocf:vpnha:pptpd by a rule for each node",
                named(*it->second), named(node), pptp::kCallIdShares));
        }
    }
    return found;
}

}  // namespace vpnha::runtime

namespace vpnha {

Result<std::vector<std::string>> check_call_ids(const std::string& config_file) {
    VPNHA_TRY(const config::Config config, config::load(config_file));
    if (std::ranges::none_of(config.gateways, [](const config::Gateway& gateway) {
            return gateway.protocols.get<pptp::Table>() != nullptr;
        })) {
        return std::vector<std::string>{};
    }
    adapters::QbLoop loop;
    VPNHA_TRY(const auto map, adapters::ClusterMap::open(
                                  loop, {.on_change = [] {}, .on_nodes = [] {}, .on_lost = [] {}}));
    return runtime::shared_call_ids(map->nodes());
}

}  // namespace vpnha
