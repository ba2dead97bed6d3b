// SPDX-License-Identifier: GPL-2.0-or-later
// UDP sockets of the lease, and the addresses at their other ends. Datagrams are read in bounded
// turns, so that a flood blocks nothing else.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/ip.hpp"
#include "cluster/lease/exchange.hpp"
#include "host/os/unique_fd.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

struct SocketAddress {
    std::string name;  // As the configuration has it.
    sockaddr_storage storage{};
    socklen_t size = 0;

    [[nodiscard]] const sockaddr* get() const {
        return reinterpret_cast<const sockaddr*>(&storage);
    }
    [[nodiscard]] int family() const { return storage.ss_family; }
    // Of IPv4 or IPv6, in network order.
    [[nodiscard]] ByteView octets() const;
    [[nodiscard]] IpAddress ip() const { return ip_address_of(octets()).value_or(IpAddress{}); }
    [[nodiscard]] bool is_same(const SocketAddress& other) const;
    // The same host, with any port.
    [[nodiscard]] bool is_at(const SocketAddress& other) const;
};

// All addresses of a name, of one family or AF_UNSPEC, in the resolver's order. `flags` of
// getaddrinfo: with AI_NUMERICHOST no name server is queried. The error has the resolver's text.
[[nodiscard]] Result<std::vector<SocketAddress>> find_addresses(const std::string& name,
                                                                std::uint16_t port, int family,
                                                                int flags);

// Second copies by another link are counted as replayed, and the first datagrams of each life of a
// vpnhad as not proven.
struct LeaseCounters : lease::Exchange::Counters {
    std::uint64_t sent = 0;
    std::uint64_t unsent = 0;  // The kernel accepted them on no link.
    std::uint64_t received = 0;
    std::uint64_t strangers = 0;  // From an address of no other node.

    friend LeaseCounters operator+(const LeaseCounters& a, const LeaseCounters& b);
};

// Not bound yet. It does not block, and takes precedence over the clients' traffic.
[[nodiscard]] Result<UniqueFd> open_lease_socket(int family);

// Reads arrived datagrams. `is_expected` by the address is cheap, `take` compares with the key.
void read_lease_socket(int fd, LeaseCounters& counters,
                       const std::function<bool(const SocketAddress& from)>& is_expected,
                       const std::function<void(ByteView bytes, const SocketAddress& from)>& take);

}  // namespace vpnha::adapters
