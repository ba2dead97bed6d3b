// SPDX-License-Identifier: GPL-2.0-or-later
#include "witness/udp_ports.hpp"

#include <fmt/format.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace vpnha::witness {

namespace {

// A burst of 255 gateways; the kernel allocates twice the size requested.
constexpr int kBufferBytes = 1 << 18;
// Class selector 6, network control: ahead of other traffic.
constexpr int kTrafficClass = IPTOS_CLASS_CS6;

// How an answer is sent: the peer, and the own address that the peer knows.
struct Path {
    int fd = -1;
    Endpoint peer;
    in_pktinfo own4{};
    in6_pktinfo own6{};
};

// Room for one of the two.
struct alignas(cmsghdr) ControlRoom {
    std::array<char, CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(in_pktinfo))> octets{};
};

std::string packed(const Path& path) {
    return {reinterpret_cast<const char*>(&path), sizeof path};
}

Path unpacked(const std::string& text) {
    Path path;
    std::memcpy(&path, text.data(), std::min(text.size(), sizeof path));
    return path;
}

bool set(int fd, int level, int option, int value) {
    return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

bool is_any6(const Endpoint& endpoint) {
    return endpoint.family() == AF_INET6 &&
           IN6_IS_ADDR_UNSPECIFIED(
               &reinterpret_cast<const sockaddr_in6*>(&endpoint.storage)->sin6_addr);
}

Endpoint any(int family, std::uint16_t port) {
    Endpoint endpoint;
    endpoint.storage.ss_family = static_cast<sa_family_t>(family);
    if (family == AF_INET6) {
        reinterpret_cast<sockaddr_in6*>(&endpoint.storage)->sin6_port = htons(port);
        endpoint.size = sizeof(sockaddr_in6);
    } else {
        reinterpret_cast<sockaddr_in*>(&endpoint.storage)->sin_port = htons(port);
        endpoint.size = sizeof(sockaddr_in);
    }
    return endpoint;
}

// `both`: a socket of IPv6 that accepts IPv4 as well.
Result<adapters::UniqueFd> open_socket(const Endpoint& endpoint, bool both) {
    const std::string what = "listening on " + to_text(endpoint);
    adapters::UniqueFd fd(
        ::socket(endpoint.family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) {
        return tl::unexpected(system_error(what, errno));
    }
    const int raw = fd.get();
    const bool is_set = endpoint.family() == AF_INET6
                            ? set(raw, IPPROTO_IPV6, IPV6_V6ONLY, both ? 0 : 1) &&
                                  set(raw, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
                            : set(raw, IPPROTO_IP, IP_PKTINFO, 1);
    if (!is_set || ::bind(raw, endpoint.get(), endpoint.size) != 0) {
        return tl::unexpected(system_error(what, errno));
    }
    // Useful, but nothing depends on them.
    set(raw, SOL_SOCKET, SO_RCVBUF, kBufferBytes);
    set(raw, IPPROTO_IP, IP_TOS, kTrafficClass);
    if (endpoint.family() == AF_INET6) {
        set(raw, IPPROTO_IPV6, IPV6_TCLASS, kTrafficClass);
    }
    return fd;
}

// A kernel may have no IPv6.
bool has_ipv6() {
    return adapters::UniqueFd(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)).get() >= 0;
}

void note_own_address(cmsghdr& header, Path& path) {
    if (header.cmsg_level == IPPROTO_IPV6 && header.cmsg_type == IPV6_PKTINFO) {
        std::memcpy(&path.own6, CMSG_DATA(&header), sizeof path.own6);
        if (!IN6_IS_ADDR_LINKLOCAL(&path.own6.ipi6_addr)) {
            path.own6.ipi6_ifindex = 0;
        }
    } else if (header.cmsg_level == IPPROTO_IP && header.cmsg_type == IP_PKTINFO) {
        std::memcpy(&path.own4, CMSG_DATA(&header), sizeof path.own4);
        path.own4.ipi_ifindex = 0;
    }
}

template <class Info>
void append(msghdr& message, int level, int type, const Info& info) {
    message.msg_controllen = CMSG_SPACE(sizeof info);
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(header), &info, sizeof info);
}

}  // namespace

Result<UdpPorts> UdpPorts::open(std::vector<Endpoint> listen, std::uint16_t port_default) {
    if (listen.empty()) {
        listen.push_back(any(has_ipv6() ? AF_INET6 : AF_INET, port_default));
    }
    const bool both = std::none_of(listen.begin(), listen.end(), [](const Endpoint& endpoint) {
        return endpoint.family() == AF_INET;
    });
    UdpPorts ports;
    std::vector<std::string> errors;
    for (const Endpoint& endpoint : listen) {
        auto opened = open_socket(endpoint, both && is_any6(endpoint));
        if (opened) {
            ports.sockets_.push_back(std::move(*opened));
            ports.texts_.push_back(to_text(endpoint));
        } else {
            errors.push_back(opened.error().detail);
        }
    }
    if (!errors.empty()) {
        return fail(Errc::system, fmt::format("{}", fmt::join(errors, "\n")));
    }
    return ports;
}

std::vector<int> UdpPorts::fds() const {
    std::vector<int> fds;
    for (const adapters::UniqueFd& socket : sockets_) {
        fds.push_back(socket.get());
    }
    return fds;
}

std::optional<UdpPorts::Received> UdpPorts::receive(int fd, std::span<std::uint8_t> buffer) const {
    Path path;
    path.fd = fd;
    ControlRoom control;
    iovec vector{buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_name = &path.peer.storage;
    message.msg_namelen = sizeof path.peer.storage;
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.octets.data();
    message.msg_controllen = control.octets.size();
    const ssize_t got = ::recvmsg(fd, &message, MSG_TRUNC);
    if (got < 0) {
        return std::nullopt;  // No more datagrams, or the error of an ICMP message.
    }
    path.peer.size = message.msg_namelen;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
        note_own_address(*header, path);
    }
    return Received{static_cast<std::size_t>(got), packed(path)};
}

bool UdpPorts::send(const std::string& to, ByteView bytes) const {
    Path path = unpacked(to);
    ControlRoom control;
    iovec vector{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_name = &path.peer.storage;
    message.msg_namelen = path.peer.size;
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.octets.data();
    message.msg_controllen = control.octets.size();
    if (path.peer.family() == AF_INET6) {
        append(message, IPPROTO_IPV6, IPV6_PKTINFO, path.own6);
    } else {
        append(message, IPPROTO_IP, IP_PKTINFO, path.own4);
    }
    return ::sendmsg(path.fd, &message, 0) >= 0;
}

std::string UdpPorts::from_text(const std::string& from) {
    return to_text(unpacked(from).peer);
}

}  // namespace vpnha::witness
