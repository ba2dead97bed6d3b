// SPDX-License-Identifier: GPL-2.0-or-later
// A request that a gateway's charon has sent to a client of IKEv2, and that nobody has answered, as
// a record of the gateway's replica.
#pragma once

#include <cstdint>

#include "protocols/ipsec/model/ha_message.hpp"

namespace vpnha::ipsec {

struct OpenRequest {
    IkeKey key;
    std::uint32_t mid = 0;
    Bytes datagram;  // As it was sent; at most limits::kIkeRequestBytesMax octets.
    friend bool operator==(const OpenRequest&, const OpenRequest&) = default;
};

// The identity of its record.
[[nodiscard]] Bytes encode_id(const OpenRequest& request);
[[nodiscard]] Bytes encode_record(const OpenRequest& request);
// Of which SA it is, and its number; without its datagram.
[[nodiscard]] Result<OpenRequest> parse_request_id(ByteView id);
// Malformed: octets are missing or left over, or it is no datagram of IKE about that SA and number.
[[nodiscard]] Result<OpenRequest> parse_open_request(ByteView id, ByteView payload);

}  // namespace vpnha::ipsec
