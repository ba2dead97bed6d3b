// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/ipv4_packet.hpp"

#include <utility>

#include "base/internet_checksum.hpp"

namespace vpnha::probe {

namespace {

constexpr std::size_t kChecksumOffset = 10;
constexpr std::uint8_t kVersionAndWords = 0x45;
constexpr std::uint8_t kHops = 64;

}  // namespace

Bytes encode_ipv4(std::uint8_t protocol, Ipv4Address from, Ipv4Address to, std::uint16_t id,
                  ByteView payload) {
    ByteWriter packet;
    packet.u8(kVersionAndWords).u8(0);
    packet.u16(static_cast<std::uint16_t>(kIpHeaderBytes + payload.size())).u16(id).u16(0);
    packet.u8(kHops).u8(protocol).u16(0).u32(from.value).u32(to.value);
    packet.patch_u16(kChecksumOffset, internet_checksum(0, packet.view()));
    packet.bytes(payload);
    return std::move(packet).take();
}

}  // namespace vpnha::probe
