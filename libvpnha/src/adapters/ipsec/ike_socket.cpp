// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/ipsec/ike_socket.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "adapters/os/network_descriptor.hpp"

namespace vpnha::adapters {

namespace {

// IP with options, UDP, what tells IKE from ESP, IKE.
constexpr std::uint32_t kTaken = 60 + 8 + 4 + 28;
// Of a turn of the loop: requests of peers that ask at the same time.
constexpr int kRequestsPerTurn = 64;

// UDP to port 500, or to 4500 and not ESP, with IKE's CREATE_CHILD_SA or INFORMATIONAL. Offsets
// count from the IP header; X is its length.
std::array<sock_filter, 25> ike_filter() {
    return {{
        /* 0 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
        /* 1 */ BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4),
        /* 2 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 4, 0, 6),
        /* 3 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
        /* 4 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 19),
        /* 5 */ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
        /* 6 */ BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 17, 0),
        /* 7 */ BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
        /* 8 */ BPF_JUMP(BPF_JMP | BPF_JA, 4, 0, 0),
        /* 9 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 6, 0, 14),
        /* 10 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
        /* 11 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 12),
        /* 12 */ BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 40),
        /* 13 */ BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
        /* 14 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 500, 5, 0),
        /* 15 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 4500, 0, 8),
        /* 16 */ BPF_STMT(BPF_LD | BPF_W | BPF_IND, 8),
        /* 17 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 6),
        /* 18 */ BPF_STMT(BPF_LD | BPF_B | BPF_IND, 8 + 4 + 18),
        /* 19 */ BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
        /* 20 */ BPF_STMT(BPF_LD | BPF_B | BPF_IND, 8 + 18),
        /* 21 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 36, 1, 0),
        /* 22 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 37, 0, 1),
        /* 23 */ BPF_STMT(BPF_RET | BPF_K, kTaken),
        /* 24 */ BPF_STMT(BPF_RET | BPF_K, 0),
    }};
}

Error socket_error(const char* what) {
    return system_error(what, errno);
}

}  // namespace

IkeSocket::IkeSocket(QbLoop& loop, OnRequest on_request)
    : loop_(loop), on_request_(std::move(on_request)) {}

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
    // The filter before the protocol: nothing else is ever queued.
    auto instructions = ike_filter();
    const sock_fprog program{.len = static_cast<unsigned short>(instructions.size()),
                             .filter = instructions.data()};
    const int ignored = 1;
    sockaddr_ll all{};
    all.sll_family = AF_PACKET;
    all.sll_protocol = htons(ETH_P_ALL);
    if (::setsockopt(fd.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0 ||
        ::setsockopt(fd.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &ignored, sizeof ignored) != 0 ||
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
    std::array<std::uint8_t, kTaken> packet{};
    for (int i = 0; i < kRequestsPerTurn && fd_; ++i) {
        const ssize_t size = ::recv(fd_.get(), packet.data(), packet.size(), MSG_DONTWAIT);
        if (size < 0) {
            return;
        }
        const auto request =
            ipsec::parse_ike_request(ByteView(packet).first(static_cast<std::size_t>(size)));
        if (request) {
            on_request_(*request);
        }
    }
}

}  // namespace vpnha::adapters
