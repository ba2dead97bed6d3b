// SPDX-License-Identifier: GPL-2.0-or-later
// Carries an exchange out: a UDP socket and a clock.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "base/ids.hpp"
#include "probe/exchange.hpp"
#include "probe/report.hpp"

namespace vpnha::probe {

// The time after which an unanswered request is sent again: each exchange has a dozen chances on a
// path that loses packets.
inline constexpr std::chrono::milliseconds kAgain{400};

struct SocketAddress {
    sockaddr_storage octets{};
    socklen_t size = 0;
    [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&octets); }
};

// The IPv4 address; 0.0.0.0 of an empty one.
[[nodiscard]] Ipv4Address ipv4_of(const SocketAddress& address);
[[nodiscard]] SocketAddress to_socket_address(const Ipv4Endpoint& endpoint);

// `source`: a numeric address of the same family, or nothing.
struct Path {
    SocketAddress server;
    SocketAddress source;  // size 0: the kernel chooses.
};
// Waits for names as long as the machine's resolver does. Error not_found: there is no such host;
// invalid_argument: the source is no address.
[[nodiscard]] Result<Path> find_path(const std::string& host, std::uint16_t port,
                                     const std::string& source);

// To its end, or until `patience` is over.
[[nodiscard]] Outcome carry_out(Exchange& exchange, const Path& path,
                                std::chrono::nanoseconds patience);

}  // namespace vpnha::probe
