// SPDX-License-Identifier: GPL-2.0-or-later
// The result of LCP for one direction of a link (RFC 1661 6, RFC 1662 7.1), and that of IPv6CP.
// Only the options that a resumed link needs are here.
#pragma once

#include <cstdint>

namespace vpnha::ppp {

// For records and links; RFC 1661 6.1 requires that far more is accepted.
inline constexpr std::uint16_t kMruMin = 128;

struct LinkOptions {
    std::uint16_t mru = 1500;    // Octets this side can receive.
    std::uint32_t magic = 0;     // 0: not negotiated.
    std::uint32_t asyncmap = 0;  // Only echoed back; framing over L2TP is synchronous.
    bool protocol_compression = false;
    bool address_compression = false;
    friend bool operator==(const LinkOptions&, const LinkOptions&) = default;
};

// The result of IPv6CP: the lower halves of both ends' link-local addresses (RFC 5072 4.1), in host
// order. Neither is 0, and they differ.
struct Ipv6Identifiers {
    std::uint64_t ours = 0;
    std::uint64_t theirs = 0;
    friend bool operator==(const Ipv6Identifiers&, const Ipv6Identifiers&) = default;
};

}  // namespace vpnha::ppp
