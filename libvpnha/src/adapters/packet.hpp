// SPDX-License-Identifier: GPL-2.0-or-later
// Gratuitous ARP (RFC 5227 3): tells the neighbours of a device, and the switches between, who has
// an address now. Request and reply, because peers differ in which of the two updates their caches.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"

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

}  // namespace vpnha::adapters
