// SPDX-License-Identifier: GPL-2.0-or-later
// The receiving half of a Linux peer's stateless MPPE (ppp_mppe of 6.1), as far as what it takes
// depends on it; and IP packets to send.
#pragma once

#include <optional>

#include "base/internet_checksum.hpp"
#include "protocols/pptp/mppe/inner_packet.hpp"
#include "protocols/pptp/mppe/sender.hpp"

namespace vpnha::mppe::test {

inline const Key kStartKey{{0x8b, 0x7c, 0xdc, 0x14, 0x9b, 0x99, 0x3a, 0x1b, 0xa1, 0x18, 0xcb, 0x15,
                            0x3f, 0x56, 0xdc, 0xcb}};

// An IPv4 packet whose payload is that number.
inline Bytes ip_packet(std::uint32_t number, std::size_t size = 24) {
    ByteWriter writer;
    writer.u16(0x4500).u16(static_cast<std::uint16_t>(size)).u32(0).u8(64).u8(17);
    const std::size_t checksum = writer.size();
    writer.u16(0).u32(0x0a000001).u32(0x0a000002);
    std::uint32_t sum = 0;
    for (ByteReader reader(writer.view()); reader.remaining() != 0;) {
        sum += reader.u16();
    }
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    writer.patch_u16(checksum, static_cast<std::uint16_t>(~sum));
    writer.u32(number).bytes(Bytes(size - 24, 0x77));
    return std::move(writer).take();
}

// An ICMPv6 packet whose number is that; of another protocol it is the same octets.
inline Bytes ip6_packet(std::uint32_t number, std::uint8_t protocol = 58) {
    constexpr std::uint16_t kSize = 8;
    ByteWriter addresses;
    addresses.u64(0xfe80'0000'0000'0000).u64(1).u64(0xfe80'0000'0000'0000).u64(2);
    ByteWriter payload;
    payload.u8(128).u8(0).u16(0).u32(number);
    const auto sum = static_cast<std::uint16_t>(
        ~internet_checksum(kSize + std::uint32_t{protocol}, addresses.view()));
    payload.patch_u16(2, internet_checksum(sum, payload.view()));
    ByteWriter packet;
    packet.u32(0x60000000).u16(kSize).u8(protocol).u8(64);
    packet.bytes(addresses.view()).bytes(payload.view());
    return std::move(packet).take();
}

// The number of either.
inline std::uint32_t number_in(ByteView packet) {
    return ByteReader(packet.subspan(is_ipv6(packet) ? 44 : 20)).u32();
}

inline Bytes with_protocol(const Bytes& packet) {
    ByteWriter writer;
    writer.u16(is_ipv6(packet) ? 0x0057 : 0x0021).bytes(packet);
    return std::move(writer).take();
}

inline Bytes seal(Sender& sender, const Bytes& packet) {
    const Bytes plain = with_protocol(packet);
    Bytes out(plain.size() + kHeaderBytes);
    sender.seal(plain, out.data());
    return out;
}

class LinuxReceiver {
  public:
    explicit LinuxReceiver(Strength strength = Strength::bits128) : chain_(strength, kStartKey) {}

    // The IP packet; nullopt: it was dropped, and the peer asks for a reset.
    std::optional<Bytes> open(ByteView frame) {
        ByteReader reader(frame);
        const std::uint16_t header = reader.u16();
        if (!reader.ok() || header >> 12 != 9) {
            return std::nullopt;
        }
        const std::uint64_t jump = (header - expected_) % kCoherencyCounts;
        if ((jump + 1) % kCoherencyCounts > kCoherencyCounts / 2) {
            return std::nullopt;
        }
        for (std::uint64_t i = 0; i < (jump + 1) % kCoherencyCounts; ++i) {
            chain_.step();
        }
        expected_ = header + 1;
        const ByteView text = reader.rest();
        Bytes plain(text.size());
        chain_.crypt(chain_.key(), text, plain.data());
        const auto packet = inner_packet(plain, true);
        return packet ? std::optional(Bytes(packet->octets.begin(), packet->octets.end()))
                      : std::nullopt;
    }
    // How many keys it has made.
    [[nodiscard]] std::uint64_t next() const { return chain_.next(); }

  private:
    KeyChain chain_;
    std::uint64_t expected_ = 0;
};

}  // namespace vpnha::mppe::test
