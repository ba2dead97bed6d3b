// SPDX-License-Identifier: GPL-2.0-or-later
// Telling the neighbours of a device, and the switches between, who has an address now.
//
// Gratuitous ARP (RFC 5227 3): request and reply, because peers differ in which of the two updates
// their caches. Unsolicited neighbour advertisements (RFC 4861 7.2.6): to all nodes, with the
// override flag, because the caches hold the former owner's address.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/ip.hpp"

namespace vpnha::adapters {

using MacAddress = std::array<std::uint8_t, 6>;

enum class ArpOperation : std::uint16_t { request = 1, reply = 2 };

// A whole broadcast Ethernet frame.
[[nodiscard]] Bytes encode_gratuitous_arp(const MacAddress& sender, Ipv4Address address,
                                          ArpOperation operation);

// One request and one reply per address, out of `interface`. A device without ARP has no caches to
// update: a success. The frames pass tc egress, so the gate has to be open.
Result<void> send_gratuitous_arp(const std::string& interface,
                                 const std::vector<Ipv4Prefix>& addresses);

// A whole Ethernet frame to ff02::1. `is_router`: what the kernel says of itself when it is asked
// for the address (RFC 4861 4.4); neighbours drop a router that says it is none.
[[nodiscard]] Bytes encode_neighbour_advertisement(const MacAddress& sender,
                                                   const Ipv6Address& address, bool is_router);

// One per address, as for ARP.
Result<void> send_neighbour_advertisements(const std::string& interface,
                                           const std::vector<Ipv6Address>& addresses);

}  // namespace vpnha::adapters
