// SPDX-License-Identifier: GPL-2.0-or-later
// IPv4 packets that the probe makes itself, without a kernel (RFC 791 3.1). Pure.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/ids.hpp"

namespace vpnha::probe {

// Without options.
inline constexpr std::size_t kIpHeaderBytes = 20;

// `id`: 0 for packets that are never fragmented. `payload`: at most 65 515 octets.
[[nodiscard]] Bytes encode_ipv4(std::uint8_t protocol, Ipv4Address from, Ipv4Address to,
                                std::uint16_t id, ByteView payload);

}  // namespace vpnha::probe
