// SPDX-License-Identifier: GPL-2.0-or-later
// A network namespace of the probe's for a client of L2TP within IPsec: its SAs, policies and
// addresses are only there, and not on this machine. A NAT of the probe's connects it: a TUN
// device, and two sockets of the machine for the server.
//
//   in the namespace          | outside
//   --------------------------+---------------------------
//   UDP to port 500 or 4500   | a datagram of a socket of that port's
//   all else                  | nothing
//
// So a server has a client behind a NAT, and IPsec passes in UDP (RFC 3948).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>

#include "base/ids.hpp"
#include "host/os/network_descriptor.hpp"
#include "host/os/unique_fd.hpp"
#include "probe/datagrams.hpp"

namespace vpnha::probe {

// The client's address in the namespace; of RFC 2544, so no server has it.
inline constexpr Ipv4Address kPrivateAddress{0xc6120001};

struct UdpPacket {
    std::uint16_t source = 0;
    std::uint16_t destination = 0;
    ByteView payload{};  // Of the octets it was parsed from.
};
// From an IPv4 packet to that address. nullopt: it is not a whole one with UDP.
[[nodiscard]] std::optional<UdpPacket> parse_udp(ByteView packet, Ipv4Address to);
// `payload`: at most 65 507 octets. Without a checksum of UDP.
[[nodiscard]] Bytes encode_udp(Ipv4Endpoint from, Ipv4Endpoint to, ByteView payload);

class PrivateNetwork {
  public:
    // `path`: of IPv4; its source is the source of outgoing datagrams. Errors: those of the
    // sockets; unsupported: it needs root, /dev/net/tun and ip(8).
    [[nodiscard]] static Result<std::unique_ptr<PrivateNetwork>> make(const Path& path);
    ~PrivateNetwork();
    PrivateNetwork(const PrivateNetwork&) = delete;
    PrivateNetwork& operator=(const PrivateNetwork&) = delete;

    // The namespace for a client and its daemons.
    [[nodiscard]] const adapters::NetworkNamespace& place() const { return place_; }

  private:
    struct Way {
        std::uint16_t port = 0;  // The server's.
        adapters::UniqueFd socket;
        std::uint16_t client = 0;  // The port from which the client sent last.
    };

    PrivateNetwork() = default;
    [[nodiscard]] Result<void> open_tun();
    void carry();
    void carry_out();
    void carry_in(Way& way);

    adapters::NetworkNamespace place_;
    Ipv4Address server_{};
    adapters::UniqueFd tun_;
    std::array<Way, 2> ways_;
    std::atomic<bool> is_over_ = false;
    std::thread carrier_;
};

}  // namespace vpnha::probe
