// SPDX-License-Identifier: GPL-2.0-or-later
// Requests within an IKEv2 SA, as anybody on the way sees them: of which SA, with which number, and
// of which kind. What they ask for is encrypted, and who sent them is not proven.
#pragma once

#include <cstdint>
#include <optional>

#include "ipsec/ha_message.hpp"

namespace vpnha::ipsec {

struct IkeRequest {
    IkeKey key;
    std::uint32_t mid = 0;
    bool makes_child = false;  // CREATE_CHILD_SA; otherwise INFORMATIONAL.
    friend bool operator==(const IkeRequest&, const IkeRequest&) = default;
};

// Of a packet from its IP header on, IPv4 or IPv6 without extension headers, that may be cut short
// behind the IKE header. nullopt: it is none.
[[nodiscard]] std::optional<IkeRequest> parse_ike_request(ByteView packet);

}  // namespace vpnha::ipsec
