// SPDX-License-Identifier: GPL-2.0-or-later
// Sequence numbers of the L2TP control channel: serial arithmetic modulo 65 536 (RFC 2661 5.8). A
// number is older than another when it lies among the 32 768 before it.
#pragma once

#include <cstdint>

namespace vpnha::l2tp {

struct Seq16 {
    std::uint16_t value = 0;
    friend constexpr bool operator==(const Seq16&, const Seq16&) = default;
};

// How far `a` is ahead of `b`: -32 768..32 767.
[[nodiscard]] constexpr int distance(Seq16 a, Seq16 b) {
    return static_cast<std::int16_t>(static_cast<std::uint16_t>(a.value - b.value));
}

[[nodiscard]] constexpr Seq16 advance(Seq16 number, int count) {
    return Seq16{static_cast<std::uint16_t>(number.value + count)};
}

}  // namespace vpnha::l2tp
