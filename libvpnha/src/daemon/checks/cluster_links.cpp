// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/checks/cluster_links.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vpnha::runtime {

namespace {

// A node need not be on every link: those between other nodes are empty.
std::size_t count_links(const adapters::ClusterNode& node) {
    return static_cast<std::size_t>(
        std::count_if(node.links.begin(), node.links.end(),
                      [](const std::string& address) { return !address.empty(); }));
}

}  // namespace

ClusterLinksCheck check_links(const std::string& link_mode,
                              const std::vector<adapters::ClusterNode>& nodes) {
    std::size_t links = 0;
    for (const adapters::ClusterNode& node : nodes) {
        links = std::max(links, count_links(node));
    }
    if (links < 2) {
        return {false, fmt::format("{} a node", links)};
    }
    if (link_mode == "active") {
        return {false, fmt::format("{} a node, link_mode active", links)};
    }
    return {true, fmt::format("{} a node, but link_mode is {}; set link_mode: active in the totem "
                              "section of corosync.conf, on every node: when the link in use is "
                              "lost, the token is lost before knet uses another link, and gateways "
                              "are silent or move",
                              links, link_mode)};
}

}  // namespace vpnha::runtime
