// SPDX-License-Identifier: GPL-2.0-or-later
// UDP sockets of the lease, and the addresses at their other ends. What arrives is read in bounded
// turns, so that a flood holds up nothing else.
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
    // The same host, whichever port.
    [[nodiscard]] bool is_at(const SocketAddress& other) const;
};

// All that a name has, of one family or AF_UNSPEC, in the resolver's order. `flags` of getaddrinfo:
// with AI_NUMERICHOST nothing is asked of anybody. The error is the resolver's word.
[[nodiscard]] Result<std::vector<SocketAddress>> find_addresses(const std::string& name,
                                                                std::uint16_t port, int family,
                                                                int flags);

// Second copies by another link are among those that are replayed, and the first ones of each life
// of a vpnhad among those that are not proven.
struct LeaseCounters : lease::Exchange::Counters {
    std::uint64_t sent = 0;
    std::uint64_t unsent = 0;  // The kernel took them on no link.
    std::uint64_t received = 0;
    std::uint64_t strangers = 0;  // From an address of no other node.

    friend LeaseCounters operator+(const LeaseCounters& a, const LeaseCounters& b);
};

// Bound to nothing yet. It does not block, and is ahead of the clients' traffic.
[[nodiscard]] Result<UniqueFd> open_lease_socket(int family);

// Reads what has come. `is_expected` by the address costs little, `take` a comparison with the key.
void read_lease_socket(int fd, LeaseCounters& counters,
                       const std::function<bool(const SocketAddress& from)>& is_expected,
                       const std::function<void(ByteView bytes, const SocketAddress& from)>& take);

}  // namespace vpnha::adapters
