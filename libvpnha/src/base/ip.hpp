// SPDX-License-Identifier: GPL-2.0-or-later
// Addresses and nets of either family, as values: the type of a gateway's addresses and pools.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/ids.hpp"

namespace vpnha {

struct Ipv6Address {
    std::array<std::uint8_t, 16> octets{};  // In network order.
    friend constexpr auto operator<=>(const Ipv6Address&, const Ipv6Address&) = default;
};

// An IPv4 address is held as an IPv4-mapped IPv6 one (RFC 4291 2.5.5.2), so that both families are
// compared and masked alike. No such IPv6 address is on a wire, and parse_ip() refuses it.
class IpAddress {
  public:
    constexpr IpAddress() = default;  // "::"
    explicit IpAddress(Ipv4Address address);
    explicit IpAddress(const Ipv6Address& address) : mapped_(address.octets) {}

    [[nodiscard]] bool is_v4() const;
    // Nothing for an address of the other family.
    [[nodiscard]] std::optional<Ipv4Address> v4() const;
    [[nodiscard]] std::optional<Ipv6Address> v6() const;
    // 4 or 16 of them, in network order, of this object.
    [[nodiscard]] ByteView octets() const;
    [[nodiscard]] std::uint8_t bits() const { return is_v4() ? 32 : 128; }
    // With all but the first `length` bits 0 or, for the last address of a net, 1.
    [[nodiscard]] IpAddress masked(std::uint8_t length, bool rest = false) const;

    friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;

  private:
    std::array<std::uint8_t, 16> mapped_{};
};

struct IpPrefix {
    IpAddress address;
    std::uint8_t length = 0;  // 0..32 or 0..128
    friend constexpr auto operator<=>(const IpPrefix&, const IpPrefix&) = default;
};

// The address alone: /32 or /128.
[[nodiscard]] IpPrefix host_prefix(const IpAddress& address);
// fe80::/64 with this interface identifier (RFC 4291 2.5.6).
[[nodiscard]] IpAddress link_local_address(std::uint64_t identifier);
// From the 4 or 16 octets of a packet or an attribute. nullopt: another size, or an IPv4-mapped
// address.
[[nodiscard]] std::optional<IpAddress> ip_address_of(ByteView octets);
// An address of the other family is never in it.
[[nodiscard]] bool contains(const IpPrefix& net, const IpAddress& address);
[[nodiscard]] bool overlap(const IpPrefix& a, const IpPrefix& b);

[[nodiscard]] std::string to_string(const Ipv6Address& address);  // "2001:db8::1": RFC 5952.
[[nodiscard]] std::string to_string(const IpAddress& address);
[[nodiscard]] std::string to_string(const IpPrefix& prefix);  // "2001:db8::1/64"
// IPv6 in groups of hexadecimal digits only: no dotted quad at its end, no zone.
[[nodiscard]] Result<IpAddress> parse_ip(std::string_view text);
[[nodiscard]] Result<IpPrefix> parse_ip_prefix(std::string_view text);

}  // namespace vpnha
