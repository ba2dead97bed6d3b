// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "base/ip.hpp"

namespace vpnha {

// "192.0.2.51:4500", "[2001:db8::51]:4500" (RFC 3986 3.2.2).
[[nodiscard]] inline std::string with_port(const IpAddress& address, std::uint16_t port) {
    return address.is_v4() ? fmt::format("{}:{}", to_string(address), port)
                           : fmt::format("[{}]:{}", to_string(address), port);
}

}  // namespace vpnha
