// SPDX-License-Identifier: GPL-2.0-or-later
// PPTP's packets as an observer of a gateway's device parses them: TCP of the control connections
// and GRE of the calls, over IPv4. Only the first octets were captured. Pure; never trusts a length
// that it has not checked.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "base/bytes.hpp"
#include "base/ids.hpp"

namespace vpnha::adapters {

// Enough for IPv4 and TCP headers with all options, and for the relevant part of a message.
inline constexpr std::size_t kObservedBytes = 160;

// The kernel's direction: the addresses in a packet are its sender's choice.
enum class Way : std::uint8_t { in, out };

// RFC 9293 3.1 and RFC 7323.
struct ObservedSegment {
    static constexpr std::uint8_t kFin = 0x01;
    static constexpr std::uint8_t kSyn = 0x02;
    static constexpr std::uint8_t kRst = 0x04;
    static constexpr std::uint8_t kAck = 0x10;

    Ipv4Endpoint from;
    Ipv4Endpoint to;
    std::uint32_t seq = 0;
    std::uint32_t ack = 0;
    std::uint8_t flags = 0;
    std::uint16_t window = 0;  // Not scaled.
    std::uint32_t end = 0;     // After its payload, SYN and FIN.
    std::optional<std::uint16_t> mss;
    std::optional<std::uint8_t> window_scale;
    bool sack_permitted = false;
    std::optional<std::uint32_t> tsval;
    std::uint32_t tsecr = 0;  // With tsval.
    ByteView payload;         // As much as was captured.
};

// RFC 2637 4.1, and RFC 3078 for the coherency count.
struct ObservedGre {
    Ipv4Address from;
    Ipv4Address to;
    std::uint16_t call = 0;  // The receiver's id.
    std::optional<std::uint32_t> sequence;
    std::optional<std::uint32_t> acknowledged;
    std::optional<std::uint16_t> coherency;  // Of an encrypted packet; 12 bits.
};

using ObservedPacket = std::variant<ObservedSegment, ObservedGre>;

// `bytes` begins with the IPv4 header. nullopt: neither, or cut short.
[[nodiscard]] std::optional<ObservedPacket> parse_observed(ByteView bytes);

}  // namespace vpnha::adapters
