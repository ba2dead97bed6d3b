// SPDX-License-Identifier: GPL-2.0-or-later
// PPTP's packets: GRE with a call id in place of a key, and numbers (RFC 2637 4.1).
#pragma once

#include <cstdint>
#include <optional>

#include "base/octets.hpp"
#include "protocols/pptp/model/call_record.hpp"

namespace vpnha::pptp {

struct GrePacket {
    CallId call{};  // The receiver's.
    std::optional<std::uint32_t> sequence;
    std::optional<std::uint32_t> acknowledged;
    ByteView payload;  // Of the octets it was parsed from; empty without a sequence number.
};

inline constexpr std::size_t kGreHeaderBytesMax = 16;
// Address and control field (RFC 1662 3.1): a peer accepts them whatever LCP agreed on.
inline constexpr std::uint16_t kPppAddressControl = 0xff03;

// Octets after the payload's own length are cut off.
[[nodiscard]] Result<GrePacket> parse_gre(ByteView bytes);
// The header of a packet with so many octets of payload.
[[nodiscard]] Octets<kGreHeaderBytesMax> encode_gre_header(
    CallId call, std::optional<std::uint32_t> sequence, std::optional<std::uint32_t> acknowledged,
    std::size_t payload_size);

// How far `a` is ahead of `b`: serial arithmetic of 32 bits (RFC 1982).
[[nodiscard]] constexpr std::int32_t ahead_of(std::uint32_t a, std::uint32_t b) {
    return static_cast<std::int32_t>(a - b);
}

// The numbers that have come: each of the last 64 once, in any order; older ones never. A late
// packet is accepted at once: IP needs no order, and waiting would cost more.
//
// Anybody can send a packet with some number. A near number shows that its sender knows the stream.
// A far number has no effect, unless the packet itself has proven its origin.
class GreWindow {
  public:
    static constexpr int kSize = 64;
    // How far ahead a number may be to count as near: the first one, and later ones.
    static constexpr std::int32_t kFirstJumpMax = 65'536;
    static constexpr std::int32_t kJumpMax = 2'048;
    enum class Verdict {
        taken,
        seen,  // It came before.
        far    // Too old, or too far ahead.
    };

    // Earlier numbers are unknown, except the last one.
    explicit GreWindow(std::uint32_t last) : last_(last) {}

    [[nodiscard]] std::uint32_t last() const { return last_; }
    [[nodiscard]] Verdict take(std::uint32_t number);
    // The peer has sent it, whatever the number is.
    void prove(std::uint32_t number);

  private:
    std::uint32_t last_;
    std::int32_t jump_max_ = kFirstJumpMax;
    std::uint64_t seen_ = ~std::uint64_t{0};  // Bit n: last_ - n.
};

}  // namespace vpnha::pptp
