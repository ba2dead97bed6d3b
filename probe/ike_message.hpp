// SPDX-License-Identifier: GPL-2.0-or-later
// The messages of IKE that come before any key: IKEv2's (RFC 7296 3) and IKEv1's (RFC 2408 3),
// which have the same header and the same chain of payloads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "vpnha/result.hpp"

namespace vpnha::probe {

struct IkeHeader {
    std::uint64_t initiator = 0;  // SPI, or cookie.
    std::uint64_t responder = 0;
    std::uint8_t version = 0;
    std::uint8_t exchange = 0;
    std::uint8_t flags = 0;
    std::uint32_t message_id = 0;
};

struct IkePayload {
    std::uint8_t type = 0;
    ByteView body{};  // After the generic header; part of the parsed octets.
};

struct IkeMessage {
    IkeHeader header;
    std::vector<IkePayload> payloads;  // Up to the first one that is encrypted.
};

[[nodiscard]] Result<IkeMessage> parse_ike_message(ByteView datagram);
[[nodiscard]] Bytes encode_ike_message(const IkeHeader& header,
                                       const std::vector<IkePayload>& payloads);

// A Notify payload, of either version (RFC 7296 3.10, RFC 2408 3.14).
struct IkeNotify {
    std::uint16_t type = 0;
    ByteView data{};

    // Types from 16384 on report a status.
    [[nodiscard]] bool is_error() const { return type < 16384; }
};
[[nodiscard]] Result<IkeNotify> parse_ike_notify(ByteView body, std::uint8_t version);
// nullopt: it is another payload, or does not parse.
[[nodiscard]] std::optional<IkeNotify> notify_in(const IkePayload& payload, std::uint8_t version);
// The server has refused `what` by an error of that type.
[[nodiscard]] Error refused_by(std::uint16_t type, std::string_view what, std::uint8_t version);

// "NO_PROPOSAL_CHOSEN"; "notify 99" for a type that does not end a first exchange.
[[nodiscard]] std::string ike_notify_name(std::uint16_t type);

inline constexpr std::uint8_t kIkev1Version = 0x10;
inline constexpr std::uint8_t kIkev2Version = 0x20;
inline constexpr std::uint8_t kIkev1Notify = 11;
inline constexpr std::uint8_t kIkev2Notify = 41;
inline constexpr std::uint16_t kNoProposalChosen = 14;  // In both versions.
inline constexpr std::uint16_t kInvalidKePayload = 17;

}  // namespace vpnha::probe
