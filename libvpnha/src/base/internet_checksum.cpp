// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/internet_checksum.hpp"

namespace vpnha {

std::uint16_t internet_checksum(std::uint32_t sum, ByteView bytes) {
    for (std::size_t i = 0; i < bytes.size(); i += 2) {
        sum += std::uint32_t{bytes[i]} << 8 | (i + 1 < bytes.size() ? bytes[i + 1] : 0U);
    }
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return static_cast<std::uint16_t>(~sum);
}

}  // namespace vpnha
