// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/backend/repaired_socket.hpp"

#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "host/os/network_descriptor.hpp"
#include "host/sockets/inet_socket.hpp"
#include "host/sockets/tcp_sockets.hpp"

namespace vpnha::adapters {

namespace {

// RFC 9293 3.1, RFC 7323, RFC 2018
constexpr std::uint32_t kMaximumSegmentSize = 2;
constexpr std::uint32_t kWindowScale = 3;
constexpr std::uint32_t kSackPermitted = 4;
constexpr std::uint32_t kTimestamp = 8;

// The window last announced is not known; no gateway announces less than one message.
constexpr std::uint32_t kReceiveWindow = 16 * 1024;

Result<void> set_tcp(int fd, int name, std::uint32_t value, std::string_view what) {
    return set_option(fd, IPPROTO_TCP, name, static_cast<int>(value), what);
}

template <class Value>
Result<void> set_tcp_struct(int fd, int name, const Value* value, std::size_t size,
                            std::string_view what) {
    if (::setsockopt(fd, IPPROTO_TCP, name, value, static_cast<socklen_t>(size)) != 0) {
        return tl::unexpected(system_error(what, errno));
    }
    return {};
}

Result<void> set_sequences(int fd, const pptp::ControlSocket& socket) {
    VPNHA_CHECK(set_tcp(fd, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE, "TCP_REPAIR_QUEUE"));
    VPNHA_CHECK(set_tcp(fd, TCP_QUEUE_SEQ, socket.snd_nxt, "TCP_QUEUE_SEQ"));
    VPNHA_CHECK(set_tcp(fd, TCP_REPAIR_QUEUE, TCP_RECV_QUEUE, "TCP_REPAIR_QUEUE"));
    return set_tcp(fd, TCP_QUEUE_SEQ, socket.rcv_nxt, "TCP_QUEUE_SEQ");
}

Result<void> set_tcp_options(int fd, const pptp::ControlSocket& socket) {
    std::array<tcp_repair_opt, 4> options{};
    std::size_t count = 0;
    const auto put = [&](std::uint32_t code, std::uint32_t value) {
        options[count++] = {code, value};
    };
    put(kMaximumSegmentSize, socket.options.mss);
    if (socket.options.window_scaling) {
        put(kWindowScale,
            socket.options.peer_scale | std::uint32_t{socket.options.our_scale} << 16);
    }
    if (socket.options.sack) {
        put(kSackPermitted, 0);
    }
    if (socket.options.timestamps) {
        put(kTimestamp, 0);
    }
    VPNHA_CHECK(set_tcp_struct(fd, TCP_REPAIR_OPTIONS, options.data(), count * sizeof options[0],
                               "TCP_REPAIR_OPTIONS"));
    if (socket.options.timestamps) {
        // Since Linux 6.7 an odd value selects ticks of a microsecond (tcp.c, TCP_TIMESTAMP). The
        // peer would then consider the next gateway's timestamps old and drop all its segments.
        const std::uint32_t even = (socket.tsval + 1) & ~1U;
        VPNHA_CHECK(set_tcp(fd, TCP_TIMESTAMP, even, "TCP_TIMESTAMP"));
    }
    const tcp_repair_window window{.snd_wl1 = socket.rcv_nxt,
                                   .snd_wnd = socket.snd_wnd,
                                   .max_window = std::max(socket.snd_wnd, kReceiveWindow),
                                   .rcv_wnd = kReceiveWindow,
                                   .rcv_wup = socket.rcv_nxt};
    return set_tcp_struct(fd, TCP_REPAIR_WINDOW, &window, sizeof window, "TCP_REPAIR_WINDOW");
}

Result<void> connect_repaired(int fd, const pptp::CallKey& key) {
    const sockaddr_in ours = to_sockaddr(key.local);
    const sockaddr_in peer = to_sockaddr(key.peer);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&ours), sizeof ours) != 0) {
        return tl::unexpected(system_error("bind to " + to_string(key.local), errno));
    }
    for (bool tried = false;; tried = true) {
        if (::connect(fd, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) == 0) {
            return {};
        }
        if (errno != EADDRNOTAVAIL || tried) {
            return tl::unexpected(system_error("connect to " + to_string(key.peer), errno));
        }
        VPNHA_CHECK(destroy_connection(key.local, key.peer));
    }
}

}  // namespace

Result<UniqueFd> open_repaired(const pptp::CallKey& key, const pptp::ControlSocket& socket) {
    UniqueFd fd = open_network_socket(AF_INET, SOCK_STREAM);
    if (!fd) {
        return tl::unexpected(system_error("open a TCP socket", errno));
    }
    VPNHA_CHECK(set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR"));
    // The VIP may not be there yet, nor a route that IP_FREEBIND would find.
    VPNHA_CHECK(set_option(fd.get(), IPPROTO_IP, IP_TRANSPARENT, 1, "IP_TRANSPARENT"));
    VPNHA_CHECK(set_tcp(fd.get(), TCP_NODELAY, 1, "TCP_NODELAY"));
    VPNHA_CHECK(set_tcp(fd.get(), TCP_REPAIR, TCP_REPAIR_ON, "TCP_REPAIR"));
    VPNHA_CHECK(set_sequences(fd.get(), socket));
    VPNHA_CHECK(connect_repaired(fd.get(), key));
    VPNHA_CHECK(set_tcp_options(fd.get(), socket));
    // Without a window probe.
    VPNHA_CHECK(set_option(fd.get(), IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP, "TCP_REPAIR"));
    if (::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) {
        return tl::unexpected(system_error("O_NONBLOCK", errno));
    }
    return fd;
}

void close_silently(UniqueFd socket) {
    // If it fails the connection is over already.
    static_cast<void>(set_tcp(socket.get(), TCP_REPAIR, TCP_REPAIR_ON, "TCP_REPAIR"));
}

void close_with_fin(UniqueFd socket) {
    // With unread octets the kernel would send a RST in place of the FIN.
    std::uint8_t octets[512];
    while (socket && ::recv(socket.get(), octets, sizeof octets, MSG_DONTWAIT) > 0) {
    }
}

std::uint32_t unacknowledged(int socket) {
    int octets = 0;
    return ::ioctl(socket, SIOCOUTQ, &octets) == 0 ? static_cast<std::uint32_t>(octets) : 0;
}

}  // namespace vpnha::adapters
