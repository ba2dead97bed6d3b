// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/ip_prefix.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>

#include "base/assert.hpp"

namespace vpnha::adapters {

std::uint8_t IpAddress::family() const {
    return is_v6 ? AF_INET6 : AF_INET;
}

Ipv4Address IpAddress::v4() const {
    VPNHA_ASSERT(!is_v6);
    return {ByteReader(bytes()).u32()};
}

IpPrefix IpPrefix::network() const {
    IpPrefix result = *this;
    for (std::size_t bit = length; bit < result.address.octets.size() * 8; ++bit) {
        result.address.octets[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> bit % 8));
    }
    return result;
}

Result<IpAddress> ip_address_of(ByteView octets) {
    IpAddress address;
    address.is_v6 = octets.size() == address.octets.size();
    if (!address.is_v6 && octets.size() != 4) {
        return fail(Errc::malformed, fmt::format("an address of {} octets", octets.size()));
    }
    std::copy(octets.begin(), octets.end(), address.octets.begin());
    return address;
}

Result<IpAddress> parse_ip(std::string_view text) {
    const std::string terminated(text);
    IpAddress address;
    address.is_v6 = text.find(':') != std::string_view::npos;
    if (::inet_pton(address.family(), terminated.c_str(), address.octets.data()) != 1) {
        return fail(Errc::invalid_argument, fmt::format("'{}' is no IP address", text));
    }
    return address;
}

Result<IpPrefix> parse_ip_prefix(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) {
        return fail(Errc::invalid_argument,
                    fmt::format("'{}' has no prefix length; write it as in 192.0.2.9/24", text));
    }
    VPNHA_TRY(const IpAddress address, parse_ip(text.substr(0, slash)));
    const std::string_view digits = text.substr(slash + 1);
    unsigned length = 0;
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), length);
    if (error != std::errc() || end != digits.end() || length > address.bits()) {
        return fail(
            Errc::invalid_argument,
            fmt::format("'{}': the prefix length is a number up to {}", text, address.bits()));
    }
    return IpPrefix{address, static_cast<std::uint8_t>(length)};
}

std::string to_string(const IpAddress& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    return ::inet_ntop(address.family(), address.octets.data(), text.data(), text.size());
}

std::string to_string(const IpPrefix& prefix) {
    return fmt::format("{}/{}", to_string(prefix.address), prefix.length);
}

}  // namespace vpnha::adapters
