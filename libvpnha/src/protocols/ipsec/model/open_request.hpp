// SPDX-License-Identifier: GPL-2.0-or-later
// A request from a gateway's charon to a client of IKEv2 that nobody has answered, as a record of
// the gateway's replica.
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
// Its SA and its message ID, without its datagram.
[[nodiscard]] Result<OpenRequest> parse_request_id(ByteView id);
// Malformed: octets are missing or left over, or it is no datagram of IKE for that SA and ID.
[[nodiscard]] Result<OpenRequest> parse_open_request(ByteView id, ByteView payload);

}  // namespace vpnha::ipsec
