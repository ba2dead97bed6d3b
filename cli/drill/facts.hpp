// SPDX-License-Identifier: GPL-2.0-or-later
// The order for a drill, and the state of the cluster before it.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/drill/cluster_state.hpp"
#include "cli/drill/kinds.hpp"

namespace vpnha::cli::drill {

struct Order {
    Kind kind{};
    std::string gateway{};
    std::string to{};       // Of a switchover; empty: the best node.
    std::string service{};  // The name of the program that is to hang.
    std::string watch{};    // An address to ping from here; empty: no watch runs here.
    std::chrono::milliseconds interval{50};
    std::chrono::seconds at_most{90};    // How long the fault stays if no node takes over.
    std::chrono::seconds recovery{180};  // Until the cluster is healthy again.
    bool stays_off = false;              // An administrator will switch the fenced node on.
    bool yes = false;                    // Do not ask.
    std::string json_file{};
    std::string html_file{};
};

// The outside device of the gateway on this node.
struct OutsideDevice {
    std::string name{};
    std::string netns{};  // Its network namespace; empty: the host's.
    std::vector<std::string> addresses{};
    // keep_addr_on_down of IPv6; empty: this node has no IPv6.
    std::string keeps_addresses{};
    std::vector<std::vector<std::string>> routes4{};
    std::vector<std::vector<std::string>> routes6{};
    std::string trouble{};  // Why it cannot be set down and up again.
};

struct Facts {
    nlohmann::json status{};                 // Of this node's vpnhad.
    Result<ClusterState> cluster{};          // An error: Pacemaker does not answer.
    std::vector<std::string> constraints{};  // That override the promotion scores.
    std::string stonith_action{};            // Empty: Pacemaker's default, reboot.
    bool is_probed = false;
    bool service_runs = false;
    std::vector<ClusterLink> links{};
    OutsideDevice outside{};
    bool stand_in = true;  // By vpnha.toml.
    unsigned lease_port = 0;
    std::optional<double> token_ms{};
    std::string program{};  // The path of this one.

    // From `vpnha status`; null: there is none of that name.
    [[nodiscard]] const nlohmann::json* gateway(const std::string& name) const;
    [[nodiscard]] std::string node() const;
    // The node that serves; empty: none is known.
    [[nodiscard]] std::string serving(const std::string& gateway) const;
    // The number of nodes that could take over.
    [[nodiscard]] std::size_t standbys(const std::string& gateway) const;
    [[nodiscard]] Timers timers(const std::string& gateway) const;
};

// The name of a node by its id, without the id; "node 3" if it has none.
[[nodiscard]] std::string name_of(const nlohmann::json& status, const nlohmann::json& id);

}  // namespace vpnha::cli::drill
