// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/sockets/gre_socket.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "host/sockets/inet_socket.hpp"

namespace vpnha::adapters {

namespace {

constexpr std::size_t kIpHeaderBytesMin = 20;
// The wait for room in the send buffer, before a packet is lost.
constexpr int kRoomWaitMs = 10;

// A raw socket includes the IPv4 header.
ByteView behind_ip_header(ByteView packet) {
    if (packet.size() < kIpHeaderBytesMin) {
        return {};
    }
    const std::size_t header = std::size_t{packet[0] & 0x0fU} * 4;
    return header < kIpHeaderBytesMin || header > packet.size() ? ByteView{}
                                                                : packet.subspan(header);
}

}  // namespace

struct GreSocket::Batch {
    Batch() {
        for (std::size_t i = 0; i < kBatch; ++i) {
            parts[i] = {octets[i].data(), octets[i].size()};
            headers[i].msg_hdr.msg_iov = &parts[i];
            headers[i].msg_hdr.msg_iovlen = 1;
            headers[i].msg_hdr.msg_name = &addresses[i];
            headers[i].msg_hdr.msg_namelen = sizeof addresses[i];
        }
    }

    std::array<std::array<std::uint8_t, kPacketBytesMax>, kBatch> octets;
    std::array<iovec, kBatch> parts{};
    std::array<sockaddr_in, kBatch> addresses{};
    std::array<mmsghdr, kBatch> headers{};
};

GreSocket::GreSocket(UniqueFd fd)
    : fd_(std::move(fd)), in_(std::make_unique<Batch>()), out_(std::make_unique<Batch>()) {}
GreSocket::~GreSocket() = default;
GreSocket::GreSocket(GreSocket&&) noexcept = default;
GreSocket& GreSocket::operator=(GreSocket&&) noexcept = default;

Result<UniqueFd> GreSocket::open(Ipv4Address vip) {
    return open_raw_socket(IPPROTO_GRE, vip);
}

Result<void> GreSocket::set_receiving(bool on) {
    return adapters::set_receiving(fd_.get(), on);
}

void GreSocket::receive(const OnPacket& on_packet) {
    for (mmsghdr& header : in_->headers) {
        header.msg_hdr.msg_namelen = sizeof(sockaddr_in);
    }
    const int got = ::recvmmsg(fd_.get(), in_->headers.data(), kBatch, MSG_DONTWAIT, nullptr);
    for (std::size_t i = 0; i < static_cast<std::size_t>(std::max(got, 0)); ++i) {
        const mmsghdr& header = in_->headers[i];
        if ((header.msg_hdr.msg_flags & MSG_TRUNC) == 0) {
            on_packet(Ipv4Address{ntohl(in_->addresses[i].sin_addr.s_addr)},
                      behind_ip_header(ByteView(in_->octets[i].data(), header.msg_len)));
        }
    }
}

void GreSocket::send(Ipv4Address to, ByteView packet) {
    if (packet.size() > kPacketBytesMax) {
        ++unsent_;
        return;
    }
    std::ranges::copy(packet, out_->octets[waiting_].begin());
    out_->parts[waiting_].iov_len = packet.size();
    out_->addresses[waiting_] = to_sockaddr({to, 0});
    if (++waiting_ == kBatch) {
        flush();
    }
}

void GreSocket::flush() {
    const std::size_t all = std::exchange(waiting_, 0);
    bool waited = false;
    for (std::size_t done = 0; done < all;) {
        const int sent = ::sendmmsg(fd_.get(), out_->headers.data() + done,
                                    static_cast<unsigned>(all - done), MSG_DONTWAIT);
        if (sent > 0) {
            done += static_cast<std::size_t>(sent);
        } else if (errno == EAGAIN && !std::exchange(waited, true)) {
            pollfd room{fd_.get(), POLLOUT, 0};
            ::poll(&room, 1, kRoomWaitMs);
        } else if (errno != EINTR) {
            // The packet is lost, as on any path: its numbers are used up.
            ++unsent_;
            ++done;
        }
    }
}

}  // namespace vpnha::adapters
