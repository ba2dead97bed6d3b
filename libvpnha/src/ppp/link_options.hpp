// SPDX-License-Identifier: GPL-2.0-or-later
// What LCP negotiated for one direction of a link, as far as a resumed link needs it (RFC 1661 6,
// RFC 1662 7.1).
#pragma once

#include <cstdint>

namespace vpnha::ppp {

struct LinkOptions {
    std::uint16_t mru = 1500;    // Octets this side can receive.
    std::uint32_t magic = 0;     // 0: not negotiated.
    std::uint32_t asyncmap = 0;  // Only echoed back; framing over L2TP is synchronous.
    bool protocol_compression = false;
    bool address_compression = false;
    friend bool operator==(const LinkOptions&, const LinkOptions&) = default;
};

}  // namespace vpnha::ppp
