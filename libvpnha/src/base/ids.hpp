// SPDX-License-Identifier: GPL-2.0-or-later
// Separate types for the field's identities, so that a tunnel id is never taken for a session id.
// Each holds its value in host order.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "vpnha/result.hpp"

namespace vpnha {

template <class Tag, class Value>
struct StrongId {
    Value value{};
    friend constexpr auto operator<=>(const StrongId&, const StrongId&) = default;
};

using NodeId = StrongId<struct NodeIdTag, std::uint32_t>;        // Corosync's node id, never 0.
using GatewayId = StrongId<struct GatewayIdTag, std::uint8_t>;   // 1..255, from vpnha.toml.
using TunnelId = StrongId<struct TunnelIdTag, std::uint16_t>;    // RFC 2661 tunnel id, never 0.
using SessionId = StrongId<struct SessionIdTag, std::uint16_t>;  // RFC 2661 session id, never 0.

// Fencing token of a gateway: ordered by number, then by the node that claimed it. {0, 0} is "never
// promoted"; each promotion raises the number.
struct Epoch {
    std::uint64_t number = 0;
    NodeId node{};
    friend constexpr auto operator<=>(const Epoch&, const Epoch&) = default;
};

struct Ipv4Address {
    std::uint32_t value = 0;
    friend constexpr auto operator<=>(const Ipv4Address&, const Ipv4Address&) = default;
};

struct Ipv4Endpoint {
    Ipv4Address address;
    std::uint16_t port = 0;
    friend constexpr auto operator<=>(const Ipv4Endpoint&, const Ipv4Endpoint&) = default;
};

// An address that one host may have: neither "this network" (0/8) nor multicast, reserved or
// broadcast (224/3).
[[nodiscard]] constexpr bool is_unicast(const Ipv4Address& address) {
    const std::uint32_t first = address.value >> 24;
    return first != 0 && first < 224;
}
// With a port.
[[nodiscard]] constexpr bool is_unicast(const Ipv4Endpoint& endpoint) {
    return is_unicast(endpoint.address) && endpoint.port != 0;
}

// "1,2,3", of any range of nodes.
template <class Nodes>
[[nodiscard]] std::string node_list(const Nodes& nodes) {
    std::string list;
    for (const NodeId node : nodes) {
        list += (list.empty() ? "" : ",") + std::to_string(node.value);
    }
    return list;
}

[[nodiscard]] std::string to_string(const Epoch& epoch);              // "7.2": number.node
[[nodiscard]] std::string to_string(const Ipv4Address& address);      // "192.0.2.1"
[[nodiscard]] std::string to_string(const Ipv4Endpoint& endpoint);    // "192.0.2.1:1701"
[[nodiscard]] Result<Ipv4Address> parse_ipv4(std::string_view text);  // Dotted quad only.

}  // namespace vpnha
