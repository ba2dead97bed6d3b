// SPDX-License-Identifier: GPL-2.0-or-later
// What neighbours on a link are asked about an address, in the name of nobody: does somebody have
// it (RFC 5227 2.1.1, RFC 4862 5.4.2)? Such a question changes no neighbour's cache.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "adapters/packet.hpp"
#include "base/bytes.hpp"
#include "base/ip.hpp"

namespace vpnha::adapters {

// Somebody's word that an address is his.
struct NeighbourClaim {
    IpAddress address;
    MacAddress mac{};
    friend bool operator==(const NeighbourClaim&, const NeighbourClaim&) = default;
};

// Whole Ethernet frames: an ARP probe; a neighbour solicitation from the unspecified address.
[[nodiscard]] Bytes encode_arp_probe(const MacAddress& sender, Ipv4Address address);
[[nodiscard]] Bytes encode_solicitation(const MacAddress& sender, const Ipv6Address& address);
// The claim in an Ethernet frame: any ARP packet with a sender's address, and any neighbour
// advertisement. nullopt: there is none.
[[nodiscard]] std::optional<NeighbourClaim> parse_claim(ByteView frame);

// Asks twice within `wait`, and returns at the first answer of another station, or at the end of
// `wait`. On a device without ARP nobody answers.
[[nodiscard]] Result<std::optional<NeighbourClaim>> find_owner(
    const std::string& interface, const std::vector<IpAddress>& addresses,
    std::chrono::milliseconds wait);

}  // namespace vpnha::adapters
