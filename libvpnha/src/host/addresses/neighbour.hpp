// SPDX-License-Identifier: GPL-2.0-or-later
// Queries neighbours on a link about an address, without a sender's address: does somebody have it
// (RFC 5227 2.1.1, RFC 4862 5.4.2)? Such a query changes no neighbour's cache.
//
// Also queries neighbours all the time whether they are there, in this node's own name. A query
// without a sender for the same address would keep a neighbour that boots from using it (RFC 5227
// 2.1.1, RFC 4862 5.4.3).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "host/addresses/packet.hpp"

namespace vpnha::adapters {

// A station's claim that it has an address.
struct NeighbourClaim {
    IpAddress address;
    MacAddress mac{};
    friend bool operator==(const NeighbourClaim&, const NeighbourClaim&) = default;
};

// Whole Ethernet frames: an ARP probe; a neighbour solicitation from the unspecified address.
[[nodiscard]] Bytes encode_arp_probe(const MacAddress& sender, Ipv4Address address);
[[nodiscard]] Bytes encode_solicitation(const MacAddress& sender, const Ipv6Address& address);
// The same in the name of a station, which receives the answer.
[[nodiscard]] Bytes encode_arp_question(const ArpStation& sender, Ipv4Address address);
[[nodiscard]] Bytes encode_solicitation_of(const MacAddress& sender, const Ipv6Address& own,
                                           const Ipv6Address& address);
// The claim in an Ethernet frame: any ARP packet with a sender's address, and any neighbour
// advertisement. nullopt: there is none.
[[nodiscard]] std::optional<NeighbourClaim> parse_claim(ByteView frame);

// A socket of the interface that receives the answers of one family: ARP replies, or neighbour
// advertisements.
[[nodiscard]] Result<PacketSocket> open_answers(const std::string& interface, bool is_v6);
// The claims of other stations among the frames that have arrived. It reads a number of frames at
// most, so that a flood blocks nothing: the socket stays readable then.
[[nodiscard]] std::vector<NeighbourClaim> read_claims(const PacketSocket& socket);

struct OwnerSearch {
    std::optional<NeighbourClaim> found;
    // To be closed when nobody waits: the kernel takes 10 to 20 ms for each (synchronize_net()).
    std::vector<PacketSocket> sockets;
};

// Queries twice within `wait`, and returns at the first answer of another station, or at the end of
// `wait`. On a device without ARP nobody answers.
[[nodiscard]] Result<OwnerSearch> find_owner(const std::string& interface,
                                             const std::vector<IpAddress>& addresses,
                                             std::chrono::milliseconds wait);

}  // namespace vpnha::adapters
