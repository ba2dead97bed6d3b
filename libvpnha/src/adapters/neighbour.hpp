// SPDX-License-Identifier: GPL-2.0-or-later
// What neighbours on a link are told and asked about an address. Told: this node has it now (RFC
// 5227 3, RFC 4861 7.2.6). Asked, in the name of nobody: does somebody have it (RFC 5227 2.1.1, RFC
// 4862 5.4.2)? A question in the name of nobody changes no neighbour's cache.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "adapters/ip_prefix.hpp"
#include "adapters/packet.hpp"
#include "base/bytes.hpp"

namespace vpnha::adapters {

// Somebody's word that an address is his.
struct NeighbourClaim {
    IpAddress address;
    MacAddress mac{};
    friend bool operator==(const NeighbourClaim&, const NeighbourClaim&) = default;
};

// Whole Ethernet frames: an ARP probe; a neighbour solicitation from the unspecified address; an
// unsolicited neighbour advertisement that overrides what caches have. `is_router` is what the
// kernel says in its own: hosts drop a default router that stops saying it.
[[nodiscard]] Bytes encode_arp_probe(const MacAddress& sender, const IpAddress& address);
[[nodiscard]] Bytes encode_solicitation(const MacAddress& sender, const IpAddress& address);
[[nodiscard]] Bytes encode_advertisement(const MacAddress& sender, const IpAddress& address,
                                         bool is_router);
// The claim in an Ethernet frame: any ARP packet with a sender's address, and any neighbour
// advertisement. nullopt: there is none.
[[nodiscard]] std::optional<NeighbourClaim> parse_claim(ByteView frame);
[[nodiscard]] std::string to_string(const MacAddress& mac);

// Tells the neighbours of an interface that these addresses are here: two ARP frames for each IPv4
// address, one advertisement for each IPv6 address. On a device without ARP there is nobody to
// tell.
Result<void> announce_addresses(const std::string& interface,
                                const std::vector<IpAddress>& addresses);

// Asks twice within `wait`, and returns at the first answer of another station, or at the end of
// `wait`. On a device without ARP nobody answers.
[[nodiscard]] Result<std::optional<NeighbourClaim>> find_owner(
    const std::string& interface, const std::vector<IpAddress>& addresses,
    std::chrono::milliseconds wait);

}  // namespace vpnha::adapters
