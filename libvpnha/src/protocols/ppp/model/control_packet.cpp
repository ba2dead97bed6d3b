// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/model/control_packet.hpp"

#include <fmt/format.h>

#include "base/assert.hpp"
#include "base/limits.hpp"

namespace vpnha::ppp {

namespace {
constexpr std::size_t kHeaderBytes = 4;
constexpr std::size_t kProtocolBytes = 2;
}  // namespace

Result<ControlPacket> parse_control_packet(ByteView bytes) {
    if (bytes.size() > limits::kPppFrameBytesMax) {
        return fail(Errc::malformed, fmt::format("PPP packet of {} octets", bytes.size()));
    }
    ByteReader reader(bytes);
    ControlPacket packet;
    packet.code = static_cast<Code>(reader.u8());
    packet.id = reader.u8();
    const std::size_t length = reader.u16();
    // Subtracting first would wrap a length below the header's own (CVE-2020-8597 and its kin).
    if (!reader.ok() || length < kHeaderBytes || length - kHeaderBytes > reader.remaining()) {
        return fail(Errc::malformed,
                    fmt::format("PPP packet states {} octets and has {}", length, bytes.size()));
    }
    packet.data = reader.take(length - kHeaderBytes);
    return packet;
}

Bytes encode_control_frame(Protocol protocol, const ControlPacket& packet) {
    const std::size_t length = kHeaderBytes + packet.data.size();
    VPNHA_ASSERT(kProtocolBytes + length <= limits::kPppFrameBytesMax);
    ByteWriter writer;
    writer.u16(static_cast<std::uint16_t>(protocol));
    writer.u8(static_cast<std::uint8_t>(packet.code)).u8(packet.id);
    writer.u16(static_cast<std::uint16_t>(length)).bytes(packet.data);
    return std::move(writer).take();
}

}  // namespace vpnha::ppp
