// SPDX-License-Identifier: GPL-2.0-or-later
// The sockets of a witness. An answer leaves from the address that the request came to, on the
// interface of the route: a NAT or firewall before a node passes no other answer.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "host/os/unique_fd.hpp"
#include "vpnha/result.hpp"
#include "witness/endpoint.hpp"

namespace vpnha::witness {

class UdpPorts {
  public:
    // A datagram in `buffer`, and how to answer it: opaque, for send() and from_text().
    struct Received {
        std::size_t size = 0;  // Larger than the buffer: it did not fit.
        std::string from;
    };

    // None given: all addresses of both families. Errors of all of them at once.
    [[nodiscard]] static Result<UdpPorts> open(std::vector<Endpoint> listen,
                                               std::uint16_t port_default);

    [[nodiscard]] std::vector<int> fds() const;
    // nullopt: there is no more.
    [[nodiscard]] std::optional<Received> receive(int fd, std::span<std::uint8_t> buffer) const;
    // False: it was not sent.
    bool send(const std::string& to, ByteView bytes) const;
    [[nodiscard]] static std::string from_text(const std::string& from);
    // The addresses that it listens on.
    [[nodiscard]] const std::vector<std::string>& texts() const { return texts_; }

  private:
    std::vector<adapters::UniqueFd> sockets_;
    std::vector<std::string> texts_;
};

}  // namespace vpnha::witness
