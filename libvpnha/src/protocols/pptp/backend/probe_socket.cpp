// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/backend/probe_socket.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "base/internet_checksum.hpp"
#include "host/sockets/inet_socket.hpp"
#include "protocols/pptp/backend/observed_packet.hpp"

namespace vpnha::adapters {

namespace {

constexpr std::size_t kIpHeaderBytes = 20;
constexpr std::uint16_t kTcpHeaderBytes = 20;
constexpr std::uint16_t kTimestampBytes = 12;  // With two octets of padding.
constexpr std::size_t kChecksumAt = kIpHeaderBytes + 16;
constexpr std::uint8_t kTtl = 64;
constexpr std::uint16_t kWindow = 500;
constexpr int kSegmentsMax = 64;

std::uint32_t halves(std::uint32_t value) {
    return (value >> 16) + (value & 0xffff);
}

}  // namespace

Bytes encode_probe(const pptp::CallKey& key, bool timestamps, const pptp::ProbeSegment& segment) {
    const auto tcp_size =
        static_cast<std::uint16_t>(kTcpHeaderBytes + (timestamps ? kTimestampBytes : 0));
    ByteWriter writer;
    writer.u8(0x45).u8(0).u16(static_cast<std::uint16_t>(kIpHeaderBytes + tcp_size));
    writer.u16(0).u16(0).u8(kTtl).u8(IPPROTO_TCP).u16(0);
    writer.u32(key.local.address.value).u32(key.peer.address.value);
    writer.u16(key.local.port).u16(key.peer.port);
    writer.u32(segment.sequence).u32(segment.acknowledgement);
    writer.u8(static_cast<std::uint8_t>(tcp_size / 4 << 4)).u8(ObservedSegment::kAck);
    writer.u16(kWindow).u16(0).u16(0);
    if (timestamps) {
        writer.u8(1).u8(1).u8(8).u8(10).u32(segment.tsval).u32(segment.tsecr);
    }
    const std::uint32_t pseudo_header =
        halves(key.local.address.value) + halves(key.peer.address.value) + IPPROTO_TCP + tcp_size;
    writer.patch_u16(kChecksumAt,
                     internet_checksum(pseudo_header, writer.view().subspan(kIpHeaderBytes)));
    return std::move(writer).take();
}

Result<ProbeSocket> ProbeSocket::open(Ipv4Address vip) {
    VPNHA_TRY(UniqueFd fd, open_raw_socket(IPPROTO_TCP, vip));
    VPNHA_CHECK(set_option(fd.get(), IPPROTO_IP, IP_HDRINCL, 1, "IP_HDRINCL"));
    return ProbeSocket(std::move(fd));
}

Result<void> ProbeSocket::set_receiving(bool on) {
    return adapters::set_receiving(fd_.get(), on);
}

void ProbeSocket::send(const pptp::CallKey& key, bool timestamps,
                       const pptp::ProbeSegment& segment) const {
    const Bytes packet = encode_probe(key, timestamps, segment);
    const sockaddr_in to = to_sockaddr({key.peer.address, 0});
    static_cast<void>(::sendto(fd_.get(), packet.data(), packet.size(), MSG_DONTWAIT,
                               reinterpret_cast<const sockaddr*>(&to), sizeof to));
}

void ProbeSocket::receive(const OnSegment& on_segment) const {
    std::array<std::uint8_t, kObservedBytes> bytes{};
    for (int i = 0; i < kSegmentsMax; ++i) {
        const ssize_t got = ::recv(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (got < 0) {
            return;
        }
        const auto packet = parse_observed(ByteView(bytes.data(), static_cast<std::size_t>(got)));
        const auto* const segment = packet ? std::get_if<ObservedSegment>(&*packet) : nullptr;
        if (segment != nullptr) {
            on_segment(segment->to, segment->from,
                       {.sequence = segment->seq,
                        .acknowledgement = segment->ack,
                        .window = segment->window,
                        .tsval = segment->tsval,
                        .tsecr = segment->tsecr,
                        .rst = (segment->flags & ObservedSegment::kRst) != 0,
                        .syn = (segment->flags & ObservedSegment::kSyn) != 0});
        }
    }
}

}  // namespace vpnha::adapters
