// SPDX-License-Identifier: GPL-2.0-or-later
// Sequence numbers of an ESP SA, and the traffic that it has carried, as its kernel has them.
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

// seq and bitmap of an inbound SA, oseq of an outbound one. An SA is inbound if its destination is
// one of the gateway's addresses.
struct SaCounters {
    SaId id;
    std::uint32_t mark = 0;
    std::uint32_t window = 0;
    bool esn = false;
    std::uint64_t oseq = 0;
    std::uint64_t seq = 0;
    std::vector<std::uint32_t> bitmap;
    // The mark that the SA sets on each packet that it decrypts or encrypts.
    std::uint32_t output_mark = 0;
    // The UDP source port of the packets that it decrypts; 0: they arrive as ESP.
    std::uint16_t udp_source = 0;
    // A device encrypts, and makes its initialisation vectors of the sequence numbers alone.
    bool is_offloaded = false;
    // Its traffic since it was made: packets within the tunnel, without ESP.
    std::uint64_t octets = 0;
    std::uint64_t packets = 0;
    friend bool operator==(const SaCounters&, const SaCounters&) = default;
};

}  // namespace vpnha::ipsec
