// SPDX-License-Identifier: GPL-2.0-or-later
// An address of either family, as rtnetlink and packets carry it: octets in network order.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/ids.hpp"

namespace vpnha::adapters {

struct IpAddress {
    bool is_v6 = false;
    std::array<std::uint8_t, 16> octets{};  // Of IPv4 the first four.
    friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;

    // AF_INET or AF_INET6.
    [[nodiscard]] std::uint8_t family() const;
    [[nodiscard]] std::uint8_t bits() const { return is_v6 ? 128 : 32; }
    [[nodiscard]] ByteView bytes() const { return ByteView(octets).first(is_v6 ? 16 : 4); }
    // Of an IPv4 address only.
    [[nodiscard]] Ipv4Address v4() const;
};

struct IpPrefix {
    IpAddress address;
    std::uint8_t length = 0;
    friend constexpr auto operator<=>(const IpPrefix&, const IpPrefix&) = default;

    // The same with all bits behind the prefix zero.
    [[nodiscard]] IpPrefix network() const;
};

// From the octets of a packet or an attribute; 4 or 16 of them, else an error.
[[nodiscard]] Result<IpAddress> ip_address_of(ByteView octets);
[[nodiscard]] Result<IpAddress> parse_ip(std::string_view text);
// "192.0.2.9/24", "2001:db8::9/64".
[[nodiscard]] Result<IpPrefix> parse_ip_prefix(std::string_view text);
[[nodiscard]] std::string to_string(const IpAddress& address);
[[nodiscard]] std::string to_string(const IpPrefix& prefix);

}  // namespace vpnha::adapters
