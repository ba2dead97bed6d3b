// SPDX-License-Identifier: GPL-2.0-or-later
// The faults that the result of the verb `status` shows.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace vpnha::cli {

// A voter that is not a node.
inline constexpr std::uint32_t kWitnessId = 0xFFFF0001;

enum class Health { ok, degraded, critical };

struct Finding {
    Health health;
    std::string text;  // "gateway dialin: 2 of 7 sessions are not protected"
};

// What prevents the cluster from surviving the next failure, worst first; empty if nothing does.
[[nodiscard]] std::vector<Finding> findings_of(const nlohmann::json& status);
[[nodiscard]] Health health_of(const std::vector<Finding>& findings);

// The promoted nodes of the gateways that this node is not promoted for, "gw2 (2), node 3": only
// they receive confirmations. Empty if this node is promoted for all.
[[nodiscard]] std::string nodes_to_ask(const nlohmann::json& status);

// "for gw2 (2), since 12 s; not yet promoted by Pacemaker"; for a gateway for which this node
// stands in.
[[nodiscard]] std::string standing_in_of(const nlohmann::json& status,
                                         const nlohmann::json& gateway);

// "Witness wit1: answered 0.1 s ago, 1.2 ms." and a line feed; empty: there is none.
[[nodiscard]] std::string witness_line(const nlohmann::json& status);

// The name of a member of vpnhad's group; empty: there is none with that id, or it has no name.
[[nodiscard]] std::string member_name(const nlohmann::json& status, const nlohmann::json& id);

// "gw2 (2)", "node 2" if its name is not known, "none" for null.
[[nodiscard]] std::string node_name(const nlohmann::json& status, const nlohmann::json& id);

}  // namespace vpnha::cli
