// SPDX-License-Identifier: GPL-2.0-or-later
// The traffic of a session at the node that serves it, and its rates now. The source is the
// counters of the session's device, found by the client's address: so it begins anew at each node.
// For a session without a device it is what vpnhad knows, in octets or in packets.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/accounting.hpp"
#include "vpnha/result.hpp"

namespace vpnha::cli::session {

struct Reading {
    Traffic traffic;
    double at_s = 0;  // By a monotonic clock.
    bool has_octets = true;
    bool has_packets = true;
};

// Of one of the sessions that vpnhad lists, as it has just listed it. nullopt: it has no device on
// this node, or another node serves it.
using Read = std::function<Result<std::optional<Reading>>(const nlohmann::json& session)>;

[[nodiscard]] Result<std::optional<Reading>> read_traffic(const nlohmann::json& session);

// The traffic between two readings, each second. 0 for what is not counted.
struct Rate {
    double bits_in = 0;
    double bits_out = 0;
    double packets_in = 0;
    double packets_out = 0;
};
[[nodiscard]] Rate rate_of(const Reading& before, const Reading& after);

[[nodiscard]] nlohmann::json traffic_json(const Reading& reading, const Rate& rate);
// Two lines: the traffic from the client, and the traffic to it.
[[nodiscard]] std::string render_traffic(const Reading& reading, const Rate& rate);

}  // namespace vpnha::cli::session
