// SPDX-License-Identifier: GPL-2.0-or-later
// Ethernet frames for tests: Frame().vlan(7).ipv4("192.0.2.100", "192.0.2.51").
#pragma once

#include <string_view>
#include <utility>

#include "base/bytes.hpp"
#include "unit/host/addresses/two_hosts.hpp"

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
    // One fragment of a datagram, or all of it.
    Bytes udp4(std::string_view source, std::string_view destination, std::uint16_t source_port,
               std::uint16_t destination_port, std::uint16_t fragment = 0, std::uint16_t id = 0) {
        bytes_.u16(0x0800);
        bytes_.u8(0x45).u8(0).u16(28).u16(id).u16(fragment).u8(64).u8(17).u16(0);
        bytes_.u32(ip(source).value).u32(ip(destination).value);
        bytes_.u16(source_port).u16(destination_port).u16(8).u16(0);
        return std::move(bytes_).take();
    }
    Bytes datagram4(std::string_view source, std::string_view destination,
                    std::uint16_t destination_port, ByteView payload,
                    std::uint16_t source_port = 40'000) {
        const auto length = static_cast<std::uint16_t>(8 + payload.size());
        bytes_.u16(0x0800);
        bytes_.u8(0x45).u8(0).u16(static_cast<std::uint16_t>(20 + length)).u16(0).u16(0);
        bytes_.u8(64).u8(17).u16(0);
        bytes_.u32(ip(source).value).u32(ip(destination).value);
        bytes_.u16(source_port).u16(destination_port).u16(length).u16(0).bytes(payload);
        return std::move(bytes_).take();
    }
    Bytes datagram6(std::string_view source, std::string_view destination,
                    std::uint16_t destination_port, ByteView payload,
                    std::uint16_t source_port = 40'000) {
        const auto length = static_cast<std::uint16_t>(8 + payload.size());
        start6(source, destination, 17, length);
        bytes_.u16(source_port).u16(destination_port).u16(length).u16(0).bytes(payload);
        return std::move(bytes_).take();
    }
    Bytes esp4(std::string_view source, std::string_view destination, std::uint32_t spi) {
        bytes_.u16(0x0800);
        bytes_.u8(0x45).u8(0).u16(28).u16(0).u16(0).u8(64).u8(50).u16(0);
        bytes_.u32(ip(source).value).u32(ip(destination).value);
        bytes_.u32(spi).u32(1);
        return std::move(bytes_).take();
    }
    Bytes esp6(std::string_view source, std::string_view destination, std::uint32_t spi) {
        start6(source, destination, 50, 8);
        bytes_.u32(spi).u32(1);
        return std::move(bytes_).take();
    }
    // SPI 0: IKE.
    Bytes esp_in_udp4(std::string_view source, std::string_view destination,
                      std::uint16_t source_port, std::uint32_t spi, std::uint16_t fragment = 0,
                      std::uint16_t id = 0) {
        bytes_.u16(0x0800);
        bytes_.u8(0x45).u8(0).u16(36).u16(id).u16(fragment).u8(64).u8(17).u16(0);
        bytes_.u32(ip(source).value).u32(ip(destination).value);
        bytes_.u16(source_port).u16(40'000).u16(16).u16(0);
        bytes_.u32(spi).u32(1);
        return std::move(bytes_).take();
    }
    // `options`: octets of IPv4 options, of four each. Flags as in RFC 9293 3.1.
    Bytes tcp4(std::string_view source, std::string_view destination, std::uint16_t source_port,
               std::uint8_t flags, std::uint8_t options = 0, std::uint16_t fragment = 0,
               std::uint16_t destination_port = 40'000) {
        const auto words = static_cast<std::uint8_t>(5 + options / 4);
        bytes_.u16(0x0800);
        bytes_.u8(static_cast<std::uint8_t>(0x40 | words)).u8(0);
        bytes_.u16(static_cast<std::uint16_t>(40 + options)).u16(0).u16(fragment);
        bytes_.u8(64).u8(6).u16(0);
        bytes_.u32(ip(source).value).u32(ip(destination).value).bytes(Bytes(options, 1));
        tcp(source_port, flags, destination_port);
        return std::move(bytes_).take();
    }
    Bytes ipv6(std::string_view source, std::string_view destination) {
        start6(source, destination, 17, 8);
        bytes_.u16(1701).u16(1701).u16(8).u16(0);
        return std::move(bytes_).take();
    }
    // An ICMPv6 message with a target and no options: 135 solicits, 136 advertises.
    Bytes nd(std::uint8_t type, std::string_view source, std::string_view destination,
             std::string_view target) {
        start6(source, destination, 58, 24);
        icmp6(type, target);
        return std::move(bytes_).take();
    }
    // The same behind a header of destination options.
    Bytes hidden_nd(std::uint8_t type, std::string_view source, std::string_view destination,
                    std::string_view target) {
        start6(source, destination, 60, 32);
        bytes_.u8(58).u8(0).u8(1).u8(4).u32(0);
        icmp6(type, target);
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
    void start6(std::string_view source, std::string_view destination, std::uint8_t next_header,
                std::uint16_t length) {
        bytes_.u16(0x86dd).u32(0x60000000).u16(length).u8(next_header).u8(255);
        bytes_.bytes(ip6(source).octets()).bytes(ip6(destination).octets());
    }
    void icmp6(std::uint8_t type, std::string_view target) {
        bytes_.u8(type).u8(0).u16(0).u32(0).bytes(ip6(target).octets());
    }
    void tcp(std::uint16_t source_port, std::uint8_t flags, std::uint16_t destination_port) {
        bytes_.u16(source_port)
            .u16(destination_port)
            .u32(1)
            .u32(1)
            .u8(0x50)
            .u8(flags)
            .u16(512)
            .u32(0);
    }
    static IpAddress ip6(std::string_view text) { return parse_ip(text).value_or(IpAddress{}); }

    ByteWriter bytes_;
};

}  // namespace vpnha::testing
