// SPDX-License-Identifier: GPL-2.0-or-later
// The checksum of IPv4, UDP and TCP (RFC 1071).
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace vpnha {

// Of the octets, added to `sum`: 16-bit words in host order, their sum below 2^31. Fewer than 65
// 536 octets; an odd one is the higher half of the last word.
[[nodiscard]] std::uint16_t internet_checksum(std::uint32_t sum, ByteView bytes);

}  // namespace vpnha
