// SPDX-License-Identifier: GPL-2.0-or-later
// Parses output of the cluster's tools, as far as a drill needs it. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vpnha/result.hpp"

namespace vpnha::cli::drill {

struct ClusterNode {
    std::string name;
    std::string amiss{};  // "offline", "in standby", …; empty: no fault.
};

// By `crm_mon --output-as=xml`.
struct ClusterState {
    std::vector<ClusterNode> nodes{};
    bool fencing_enabled = false;
    bool has_fencing = false;  // A device is started somewhere.
    bool in_maintenance = false;
    std::vector<std::string> unmanaged{};  // Resources.
    std::vector<std::string> failures{};   // "xl2tpd_monitor_2000 on gw1"
};
[[nodiscard]] Result<ClusterState> parse_crm_mon(std::string_view xml);

// An option of the cluster, by `cibadmin --query --scope crm_config`; empty: it is not set.
[[nodiscard]] Result<std::string> cluster_option(std::string_view xml, std::string_view name);
// Whether ocf:vpnha:probe asks that gateway, by `cibadmin --query --scope resources`.
[[nodiscard]] Result<bool> is_probed(std::string_view xml, std::string_view gateway);

// A link of Corosync to another node.
struct ClusterLink {
    std::string local;
    std::string remote;
};
// By `corosync-cfgtool -n`.
[[nodiscard]] std::vector<ClusterLink> parse_cluster_links(std::string_view text);

// The routes by a device that no program adds again when the device is up again, by `ip route
// show`: each as the arguments for `ip route replace`. Error unsupported: one has several next
// hops, and cannot be restored.
[[nodiscard]] Result<std::vector<std::vector<std::string>>> routes_to_keep(std::string_view text);

}  // namespace vpnha::cli::drill
