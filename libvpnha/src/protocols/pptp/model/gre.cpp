// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/model/gre.hpp"

#include <fmt/format.h>

namespace vpnha::pptp {

namespace {

constexpr std::uint16_t kPpp = 0x880b;
constexpr std::uint16_t kKeyed = 0x2000;
constexpr std::uint16_t kSequenced = 0x1000;
constexpr std::uint16_t kAcknowledged = 0x0080;
constexpr std::uint16_t kGreVersion = 0x0001;

}  // namespace

Result<GrePacket> parse_gre(ByteView bytes) {
    ByteReader reader(bytes);
    const std::uint16_t flags = reader.u16();
    const std::uint16_t protocol = reader.u16();
    const std::size_t length = reader.u16();
    GrePacket packet;
    packet.call = CallId{reader.u16()};
    if ((flags & ~(kSequenced | kAcknowledged)) != (kKeyed | kGreVersion) || protocol != kPpp) {
        return fail(Errc::malformed,
                    fmt::format("GRE with flags {:#06x}, protocol {:#06x}", flags, protocol));
    }
    if ((flags & kSequenced) != 0) {
        packet.sequence = reader.u32();
    }
    if ((flags & kAcknowledged) != 0) {
        packet.acknowledged = reader.u32();
    }
    if (packet.sequence) {
        packet.payload = reader.take(length);
    }
    if (!reader.ok()) {
        return fail(Errc::malformed, fmt::format("GRE of {} octets", bytes.size()));
    }
    return packet;
}

Octets<kGreHeaderBytesMax> encode_gre_header(CallId call, std::optional<std::uint32_t> sequence,
                                             std::optional<std::uint32_t> acknowledged,
                                             std::size_t payload_size) {
    Octets<kGreHeaderBytesMax> header;
    header.u16(static_cast<std::uint16_t>(kKeyed | kGreVersion | (sequence ? kSequenced : 0) |
                                          (acknowledged ? kAcknowledged : 0)));
    header.u16(kPpp);
    header.u16(static_cast<std::uint16_t>(payload_size));
    header.u16(call.value);
    if (sequence) {
        header.u32(*sequence);
    }
    if (acknowledged) {
        header.u32(*acknowledged);
    }
    return header;
}

GreWindow::Verdict GreWindow::take(std::uint32_t number) {
    const std::int32_t ahead = ahead_of(number, last_);
    if (ahead > jump_max_ || ahead <= -kSize) {
        return Verdict::far;
    }
    jump_max_ = kJumpMax;
    if (ahead > 0) {
        seen_ = ahead < kSize ? seen_ << ahead : 0;
        seen_ |= 1;
        last_ = number;
        return Verdict::taken;
    }
    if ((seen_ >> -ahead & 1) != 0) {
        return Verdict::seen;
    }
    seen_ |= std::uint64_t{1} << -ahead;
    return Verdict::taken;
}

void GreWindow::prove(std::uint32_t number) {
    if (take(number) == Verdict::far) {
        *this = GreWindow(number);
        jump_max_ = kJumpMax;
    }
}

}  // namespace vpnha::pptp
