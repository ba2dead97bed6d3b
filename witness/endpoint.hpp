// SPDX-License-Identifier: GPL-2.0-or-later
// A numeric address with a port. Names are not resolved: a static program has no resolver.
#pragma once

#include <sys/socket.h>

#include <string>

#include "vpnha/result.hpp"

namespace vpnha::witness {

struct Endpoint {
    sockaddr_storage storage{};
    socklen_t size = 0;
    [[nodiscard]] const sockaddr* get() const {
        return reinterpret_cast<const sockaddr*>(&storage);
    }
    [[nodiscard]] int family() const { return storage.ss_family; }
};

// "192.0.2.1:5421" or "[2001:db8::1]:5421".
[[nodiscard]] Result<Endpoint> parse_endpoint(const std::string& text);
// The inverse; an IPv4 address within an IPv6 one as the IPv4 address.
[[nodiscard]] std::string to_text(const Endpoint& endpoint);

}  // namespace vpnha::witness
