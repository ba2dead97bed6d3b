// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/sockets/inet_socket.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <sys/socket.h>

#include <cerrno>

#include "host/os/network_descriptor.hpp"

namespace vpnha::adapters {

namespace {

constexpr int kBufferBytes = 4 << 20;  // 3 000 packets of 1 400 octets.

}  // namespace

sockaddr_in to_sockaddr(const Ipv4Endpoint& endpoint) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(endpoint.address.value);
    address.sin_port = htons(endpoint.port);
    return address;
}

Result<void> set_option(int socket, int level, int name, int value, std::string_view what) {
    if (::setsockopt(socket, level, name, &value, sizeof value) != 0) {
        return tl::unexpected(system_error(what, errno));
    }
    return {};
}

Result<UniqueFd> open_raw_socket(int protocol, Ipv4Address vip) {
    UniqueFd fd = open_network_socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, protocol);
    if (!fd) {
        return tl::unexpected(system_error("open a raw socket", errno));
    }
    VPNHA_CHECK(set_option(fd.get(), IPPROTO_IP, IP_TRANSPARENT, 1, "IP_TRANSPARENT"));
    // A packet that is too long for the path is sent in fragments, as it is only forwarded here.
    VPNHA_CHECK(
        set_option(fd.get(), IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT, "IP_MTU_DISCOVER"));
    VPNHA_CHECK(set_option(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, kBufferBytes, "SO_RCVBUFFORCE"));
    VPNHA_CHECK(set_option(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, kBufferBytes, "SO_SNDBUFFORCE"));
    VPNHA_CHECK(set_receiving(fd.get(), false));
    const sockaddr_in address = to_sockaddr({vip, 0});
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return tl::unexpected(system_error("bind a raw socket to " + to_string(vip), errno));
    }
    return fd;
}

Result<void> set_receiving(int raw_socket, bool on) {
    // How many octets of a packet are accepted.
    sock_filter take{.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = on ? 0xffffU : 0U};
    const sock_fprog program{.len = 1, .filter = &take};
    if (::setsockopt(raw_socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0) {
        return tl::unexpected(system_error("SO_ATTACH_FILTER", errno));
    }
    return {};
}

}  // namespace vpnha::adapters
