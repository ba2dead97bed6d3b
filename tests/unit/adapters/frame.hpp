// SPDX-License-Identifier: GPL-2.0-or-later
// Ethernet frames for tests: Frame().vlan(7).ipv4("192.0.2.100", "192.0.2.51").
#pragma once

#include <string_view>
#include <utility>

#include "base/bytes.hpp"
#include "unit/adapters/two_hosts.hpp"

namespace vpnha::testing {

class Frame {
  public:
    Frame() { bytes_.bytes(to_bytes("\x02nodeA")).bytes(to_bytes("\x02peerB")); }

    Frame& vlan(std::uint16_t id, std::uint16_t type = 0x8100) {
        bytes_.u16(type).u16(id);
        return *this;
    }
    Bytes ipv4(std::string_view source, std::string_view destination) {
        bytes_.u16(0x0800);
        bytes_.u8(0x45).u8(0).u16(28).u16(0).u16(0).u8(64).u8(17).u16(0);
        bytes_.u32(ip(source).value).u32(ip(destination).value);
        bytes_.u16(1701).u16(1701).u16(8).u16(0);  // An empty UDP datagram.
        return std::move(bytes_).take();
    }
    Bytes arp(std::string_view sender, std::string_view target, std::uint16_t protocol = 0x0800) {
        bytes_.u16(0x0806);
        bytes_.u16(1).u16(protocol).u8(6).u8(4).u16(1);
        bytes_.bytes(to_bytes("\x02nodeA")).u32(ip(sender).value);
        bytes_.bytes(to_bytes(std::string_view("\0\0\0\0\0\0", 6))).u32(ip(target).value);
        return std::move(bytes_).take();
    }
    Bytes of_type(std::uint16_t type, ByteView payload) {
        bytes_.u16(type).bytes(payload);
        return std::move(bytes_).take();
    }

  private:
    ByteWriter bytes_;
};

}  // namespace vpnha::testing
