// SPDX-License-Identifier: GPL-2.0-or-later
// Sequence numbers of an ESP SA, and what it has carried, as its kernel has them.
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "base/ip.hpp"

namespace vpnha::ipsec {

struct SaId {
    IpAddress source;
    IpAddress destination;
    std::uint32_t spi = 0;  // In host order.
    friend auto operator<=>(const SaId&, const SaId&) = default;
};

// Of an inbound SA seq and bitmap, of an outbound one oseq. Inbound is what has one of the
// gateway's addresses as its destination.
struct SaCounters {
    SaId id;
    std::uint32_t mark = 0;
    std::uint32_t window = 0;
    bool esn = false;
    std::uint64_t oseq = 0;
    std::uint64_t seq = 0;
    std::vector<std::uint32_t> bitmap;
    // What it decrypts, or encrypts, has it afterwards.
    std::uint32_t output_mark = 0;
    // Of what it decrypts, the port from which that comes in UDP; 0: it comes as ESP.
    std::uint16_t udp_source = 0;
    // A device encrypts, and makes its initialisation vectors of the sequence numbers alone.
    bool is_offloaded = false;
    // What it has carried since it was made: packets within the tunnel, without ESP.
    std::uint64_t octets = 0;
    std::uint64_t packets = 0;
    friend bool operator==(const SaCounters&, const SaCounters&) = default;
};

}  // namespace vpnha::ipsec
