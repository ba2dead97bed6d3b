// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/lease/lease_socket.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/ip.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>

#include "host/os/network_descriptor.hpp"

namespace vpnha::adapters {

namespace {

// The longest datagram is a handover with its counters; a longer one is no message of ours.
constexpr std::size_t kDatagramBytesMax = 2048;
// For one socket in one turn of the loop, so that a flood blocks nothing else: how many datagrams
// are compared with the key, and how many are read at all.
constexpr int kPerTurn = 64;
constexpr int kReadPerTurn = 512;
// A burst of 255 gateways with seven voters has 1530 rounds, of 768 octets each as the kernel
// counts. The kernel reserves twice the requested size.
constexpr int kBufferBytes = 1 << 20;
// Class selector 6, network control: before the clients' traffic.
constexpr int kTrafficClass = IPTOS_CLASS_CS6;

}  // namespace

ByteView SocketAddress::octets() const {
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&storage);
    return family() == AF_INET
               ? ByteView(bytes + offsetof(sockaddr_in, sin_addr), sizeof(in_addr))
               : ByteView(bytes + offsetof(sockaddr_in6, sin6_addr), sizeof(in6_addr));
}

bool SocketAddress::is_same(const SocketAddress& other) const {
    return size == other.size && std::memcmp(&storage, &other.storage, size) == 0;
}

bool SocketAddress::is_at(const SocketAddress& other) const {
    return family() == other.family() && std::ranges::equal(octets(), other.octets());
}

Result<std::vector<SocketAddress>> find_addresses(const std::string& name, std::uint16_t port,
                                                  int family, int flags) {
    addrinfo hints{};
    hints.ai_family = family;
    hints.ai_socktype = SOCK_DGRAM;
    hints.ai_flags = AI_NUMERICSERV | flags;
    addrinfo* found = nullptr;
    const int error = getaddrinfo(name.c_str(), std::to_string(port).c_str(), &hints, &found);
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> kept(found, [](addrinfo* list) {
        if (list != nullptr) {
            freeaddrinfo(list);
        }
    });
    if (error != 0) {
        return fail(Errc::unreachable, gai_strerror(error));
    }
    std::vector<SocketAddress> addresses;
    for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
        SocketAddress& address = addresses.emplace_back();
        address.name = name;
        std::memcpy(&address.storage, each->ai_addr, each->ai_addrlen);
        address.size = each->ai_addrlen;
    }
    return addresses;
}

LeaseCounters operator+(const LeaseCounters& a, const LeaseCounters& b) {
    LeaseCounters sum = a;
    sum.taken += b.taken;
    sum.forged += b.forged;
    sum.malformed += b.malformed;
    sum.replayed += b.replayed;
    sum.unproven += b.unproven;
    sum.sent += b.sent;
    sum.unsent += b.unsent;
    sum.received += b.received;
    sum.strangers += b.strangers;
    return sum;
}

Result<UniqueFd> open_lease_socket(int family) {
    UniqueFd fd = open_network_socket(family, SOCK_DGRAM | SOCK_NONBLOCK);
    if (!fd) {
        return tl::unexpected(system_error("a socket for the lease", errno));
    }
    const bool v4 = family == AF_INET;
    setsockopt(fd.get(), v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS, &kTrafficClass,
               sizeof kTrafficClass);
    // Without CAP_NET_ADMIN the node's default applies, which is less.
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kBufferBytes, sizeof kBufferBytes);
    return fd;
}

void read_lease_socket(int fd, LeaseCounters& counters,
                       const std::function<bool(const SocketAddress& from)>& is_expected,
                       const std::function<void(ByteView bytes, const SocketAddress& from)>& take) {
    std::array<std::uint8_t, kDatagramBytesMax> buffer{};
    int checked = 0;
    for (int read = 0; read < kReadPerTurn && checked < kPerTurn; ++read) {
        SocketAddress from;
        from.size = sizeof from.storage;
        const ssize_t got = recvfrom(fd, buffer.data(), buffer.size(), MSG_TRUNC,
                                     reinterpret_cast<sockaddr*>(&from.storage), &from.size);
        if (got < 0) {
            return;  // The queue is empty, or an ICMP error.
        }
        ++counters.received;
        if (!is_expected(from)) {
            ++counters.strangers;
            continue;
        }
        ++checked;
        if (static_cast<std::size_t>(got) > buffer.size()) {
            ++counters.malformed;
            continue;
        }
        take({buffer.data(), static_cast<std::size_t>(got)}, from);
    }
}

}  // namespace vpnha::adapters
