// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/backend/ike_socket.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "base/internet_checksum.hpp"
#include "base/limits.hpp"
#include "host/os/network_descriptor.hpp"

namespace vpnha::adapters {

namespace {

// IP with options, UDP, the non-ESP marker, and a request that is kept.
constexpr std::uint32_t kTaken = 60 + 8 + 4 + limits::kIkeRequestBytesMax;
// In one turn of the loop: peers that send requests at the same time.
constexpr int kPacketsPerTurn = 64;

// Accepts CREATE_CHILD_SA and INFORMATIONAL of IKE, in UDP from or to port 500, or 4500 if not ESP.
// Offsets count from the IP header; X is its length.
std::array<sock_filter, 28> ike_filter() {
    return {{
        /* 0 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
        /* 1 */ BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4),
        /* 2 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 4, 0, 6),
        /* 3 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
        /* 4 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 22),
        /* 5 */ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
        /* 6 */ BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 20, 0),
        /* 7 */ BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
        /* 8 */ BPF_JUMP(BPF_JMP | BPF_JA, 4, 0, 0),
        /* 9 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 6, 0, 17),
        /* 10 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
        /* 11 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 15),
        /* 12 */ BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 40),
        /* 13 */ BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
        /* 14 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 500, 8, 0),
        /* 15 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 4500, 3, 0),
        /* 16 */ BPF_STMT(BPF_LD | BPF_H | BPF_IND, 0),
        /* 17 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 500, 5, 0),
        /* 18 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 4500, 0, 8),
        /* 19 */ BPF_STMT(BPF_LD | BPF_W | BPF_IND, 8),
        /* 20 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 6),
        /* 21 */ BPF_STMT(BPF_LD | BPF_B | BPF_IND, 8 + 4 + 18),
        /* 22 */ BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
        /* 23 */ BPF_STMT(BPF_LD | BPF_B | BPF_IND, 8 + 18),
        /* 24 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 36, 1, 0),
        /* 25 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 37, 0, 1),
        /* 26 */ BPF_STMT(BPF_RET | BPF_K, kTaken),
        /* 27 */ BPF_STMT(BPF_RET | BPF_K, 0),
    }};
}

// The packet without its length and IPv4 checksum, which the kernel sets.
Bytes udp_packet(const ipsec::HaHost& from, const ipsec::HaHost& to, ByteView datagram) {
    constexpr std::uint8_t kHops = 64;
    const auto size = static_cast<std::uint16_t>(sizeof(udphdr) + datagram.size());
    const ByteView source = from.address.octets();
    const ByteView destination = to.address.octets();
    ByteWriter out;
    out.u16(from.port).u16(to.port).u16(size).u16(0).bytes(datagram);
    ByteWriter summed;
    summed.bytes(source).bytes(destination).u32(IPPROTO_UDP).u32(size).bytes(out.view());
    const std::uint16_t checksum = internet_checksum(0, summed.view());
    out.patch_u16(offsetof(udphdr, check), checksum == 0 ? 0xffff : checksum);
    ByteWriter packet;
    if (from.address.is_v4()) {
        packet.u8(0x45).u8(0).u16(0).u16(0).u16(0).u8(kHops).u8(IPPROTO_UDP).u16(0);
    } else {
        packet.u32(0x60000000).u16(size).u8(IPPROTO_UDP).u8(kHops);
    }
    return std::move(packet.bytes(source).bytes(destination).bytes(out.view())).take();
}

Error socket_error(const char* what) {
    return system_error(what, errno);
}

}  // namespace

IkeSocket::IkeSocket(QbLoop& loop, OnPacket on_packet)
    : loop_(loop), on_packet_(std::move(on_packet)) {}

IkeSocket::~IkeSocket() {
    close();
}

Result<void> IkeSocket::watch(bool on) {
    if (!on) {
        close();
        return {};
    }
    if (fd_) {
        return {};
    }
    UniqueFd fd = open_network_socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK);
    if (!fd) {
        return tl::unexpected(socket_error("a socket that sees IKE"));
    }
    // Attaches the filter before the protocol, so that nothing else is ever queued.
    auto instructions = ike_filter();
    const sock_fprog program{.len = static_cast<unsigned short>(instructions.size()),
                             .filter = instructions.data()};
    sockaddr_ll all{};
    all.sll_family = AF_PACKET;
    all.sll_protocol = htons(ETH_P_ALL);
    if (::setsockopt(fd.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0 ||
        ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&all), sizeof all) != 0) {
        return tl::unexpected(socket_error("a socket that sees IKE"));
    }
    VPNHA_CHECK(loop_.watch(fd.get(), [this] { receive(); }));
    fd_ = std::move(fd);
    return {};
}

void IkeSocket::close() {
    if (fd_) {
        loop_.unwatch(fd_.get());
        fd_ = {};
    }
}

void IkeSocket::receive() {
    std::array<std::uint8_t, kTaken> octets{};
    for (int i = 0; i < kPacketsPerTurn && fd_; ++i) {
        sockaddr_ll device{};
        socklen_t length = sizeof device;
        const ssize_t size = ::recvfrom(fd_.get(), octets.data(), octets.size(), MSG_DONTWAIT,
                                        reinterpret_cast<sockaddr*>(&device), &length);
        if (size < 0) {
            return;
        }
        const auto packet =
            ipsec::parse_ike_packet(ByteView(octets).first(static_cast<std::size_t>(size)),
                                    device.sll_pkttype == PACKET_OUTGOING);
        if (packet) {
            on_packet_(*packet);
        }
    }
}

Result<void> IkeSocket::send(const ipsec::HaHost& from, const ipsec::HaHost& to,
                             ByteView datagram) {
    const bool is_v4 = from.address.is_v4();
    if (is_v4 != to.address.is_v4()) {
        return fail(Errc::unsupported, "a datagram of IKE from one family of addresses to another");
    }
    // No packet of this protocol arrives here, and each packet sent has its header already.
    const UniqueFd fd =
        open_network_socket(is_v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_RAW);
    xfrm_userpolicy_info bypass{};
    bypass.dir = XFRM_POLICY_OUT;
    bypass.action = XFRM_POLICY_ALLOW;
    bypass.sel.family = is_v4 ? AF_INET : AF_INET6;
    if (!fd ||
        ::setsockopt(fd.get(), is_v4 ? IPPROTO_IP : IPPROTO_IPV6,
                     is_v4 ? IP_XFRM_POLICY : IPV6_XFRM_POLICY, &bypass, sizeof bypass) != 0) {
        return tl::unexpected(socket_error("a socket that sends IKE"));
    }
    const Bytes packet = udp_packet(from, to, datagram);
    const ByteView octets = to.address.octets();
    sockaddr_in to4{};
    to4.sin_family = AF_INET;
    sockaddr_in6 to6{};
    to6.sin6_family = AF_INET6;
    std::memcpy(is_v4 ? static_cast<void*>(&to4.sin_addr) : &to6.sin6_addr, octets.data(),
                octets.size());
    const auto* const address =
        is_v4 ? reinterpret_cast<const sockaddr*>(&to4) : reinterpret_cast<const sockaddr*>(&to6);
    if (::sendto(fd.get(), packet.data(), packet.size(), MSG_DONTWAIT, address,
                 is_v4 ? sizeof to4 : sizeof to6) < 0) {
        return tl::unexpected(socket_error("a datagram of IKE"));
    }
    return {};
}

}  // namespace vpnha::adapters
