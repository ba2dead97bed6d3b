// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/ip.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/number.hpp"

namespace vpnha {

namespace {

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::size_t kGroups = 8;

using Groups = std::array<std::uint16_t, kGroups>;

Groups groups_of(const Ipv6Address& address) {
    Groups groups{};
    ByteReader reader(address.octets);
    for (std::uint16_t& group : groups) {
        group = reader.u16();
    }
    return groups;
}

// The longest run of at least two zero groups, the first of equals: "::" replaces it.
struct Run {
    std::size_t begin = kGroups;
    std::size_t length = 1;
};

Run zeros_of(const Groups& groups) {
    Run best;
    for (std::size_t begin = 0; begin < kGroups; ++begin) {
        std::size_t length = 0;
        while (begin + length < kGroups && groups.at(begin + length) == 0) {
            ++length;
        }
        if (length > best.length) {
            best = {begin, length};
        }
    }
    return best;
}

template <class Integer>
std::optional<Integer> whole_number(std::string_view text, int base, std::size_t digits_max) {
    return text.size() > digits_max ? std::nullopt : parse_whole<Integer>(text, base);
}

// "db8:1" into groups; an empty text is no group. False: it is invalid or exceeds `groups`.
bool parse_groups(std::string_view text, std::vector<std::uint16_t>& groups) {
    while (!text.empty()) {
        const std::size_t colon = std::min(text.find(':'), text.size());
        const auto group = whole_number<std::uint16_t>(text.substr(0, colon), 16, 4);
        if (!group || groups.size() == kGroups || colon + 1 == text.size()) {
            return false;
        }
        groups.push_back(*group);
        text.remove_prefix(std::min(colon + 1, text.size()));
    }
    return true;
}

std::optional<Ipv6Address> parse_ipv6(std::string_view text) {
    const std::size_t gap = text.find("::");
    std::vector<std::uint16_t> groups;
    if (!parse_groups(text.substr(0, gap), groups)) {
        return std::nullopt;
    }
    if (gap != std::string_view::npos) {
        std::vector<std::uint16_t> behind;
        if (!parse_groups(text.substr(gap + 2), behind) ||
            groups.size() + behind.size() >= kGroups) {
            return std::nullopt;
        }
        groups.resize(kGroups - behind.size());
        groups.insert(groups.end(), behind.begin(), behind.end());
    }
    if (groups.size() != kGroups) {
        return std::nullopt;
    }
    Ipv6Address address;
    for (std::size_t i = 0; i < kGroups; ++i) {
        address.octets.at(2 * i) = static_cast<std::uint8_t>(groups[i] >> 8);
        address.octets.at(2 * i + 1) = static_cast<std::uint8_t>(groups[i] & 0xff);
    }
    return address;
}

}  // namespace

IpAddress::IpAddress(Ipv4Address address) {
    ByteWriter octets;
    octets.bytes(kMapped).u32(address.value);
    std::copy_n(octets.view().begin(), mapped_.size(), mapped_.begin());
}

bool IpAddress::is_v4() const {
    return std::equal(kMapped.begin(), kMapped.end(), mapped_.begin());
}

std::optional<Ipv4Address> IpAddress::v4() const {
    if (!is_v4()) {
        return std::nullopt;
    }
    return Ipv4Address{ByteReader(octets()).u32()};
}

std::optional<Ipv6Address> IpAddress::v6() const {
    if (is_v4()) {
        return std::nullopt;
    }
    return Ipv6Address{mapped_};
}

ByteView IpAddress::octets() const {
    return ByteView(mapped_).subspan(is_v4() ? kMapped.size() : 0);
}

IpAddress IpAddress::masked(std::uint8_t length, bool rest) const {
    IpAddress result = *this;
    const std::size_t kept = length + (is_v4() ? 8 * kMapped.size() : 0);
    for (std::size_t bit = kept; bit < 8 * mapped_.size(); ++bit) {
        const auto mask = static_cast<std::uint8_t>(0x80 >> bit % 8);
        std::uint8_t& octet = result.mapped_.at(bit / 8);
        octet = static_cast<std::uint8_t>(rest ? octet | mask : octet & ~mask);
    }
    return result;
}

IpPrefix host_prefix(const IpAddress& address) {
    return {address, address.bits()};
}

IpAddress link_local_address(std::uint64_t identifier) {
    ByteWriter writer;
    writer.u64(0xfe80'0000'0000'0000).u64(identifier);
    Ipv6Address address;
    std::copy(writer.view().begin(), writer.view().end(), address.octets.begin());
    return IpAddress(address);
}

std::optional<IpAddress> ip_address_of(ByteView octets) {
    if (octets.size() == sizeof(Ipv4Address::value)) {
        return IpAddress(Ipv4Address{ByteReader(octets).u32()});
    }
    Ipv6Address address;
    if (octets.size() != address.octets.size()) {
        return std::nullopt;
    }
    std::copy(octets.begin(), octets.end(), address.octets.begin());
    const IpAddress found(address);
    return found.is_v4() ? std::nullopt : std::optional(found);
}

bool contains(const IpPrefix& net, const IpAddress& address) {
    return net.address.is_v4() == address.is_v4() &&
           net.address.masked(net.length) == address.masked(net.length);
}

bool overlap(const IpPrefix& a, const IpPrefix& b) {
    return a.length <= b.length ? contains(a, b.address) : contains(b, a.address);
}

std::string to_string(const Ipv6Address& address) {
    const Groups groups = groups_of(address);
    const Run zeros = zeros_of(groups);
    std::string text;
    for (std::size_t i = 0; i < kGroups; ++i) {
        if (i == zeros.begin) {
            text += "::";
            i += zeros.length - 1;
        } else {
            text +=
                fmt::format("{}{:x}", text.empty() || text.back() == ':' ? "" : ":", groups.at(i));
        }
    }
    return text;
}

std::string to_string(const IpAddress& address) {
    const auto v4 = address.v4();
    return v4 ? to_string(*v4) : to_string(*address.v6());
}

std::string to_string(const IpPrefix& prefix) {
    return fmt::format("{}/{}", to_string(prefix.address), prefix.length);
}

Result<IpAddress> parse_ip(std::string_view text) {
    if (text.find(':') == std::string_view::npos) {
        VPNHA_TRY(const Ipv4Address address, parse_ipv4(text));
        return IpAddress(address);
    }
    const std::optional<Ipv6Address> address = parse_ipv6(text);
    if (!address || IpAddress(*address).is_v4()) {
        return fail(Errc::invalid_argument,
                    fmt::format("'{}' is no IPv6 address; write it like 2001:db8::1", text));
    }
    return IpAddress(*address);
}

Result<IpPrefix> parse_ip_prefix(std::string_view text) {
    const std::size_t slash = text.find('/');
    VPNHA_TRY(const IpAddress address, parse_ip(text.substr(0, slash)));
    const std::string_view digits =
        slash == std::string_view::npos ? std::string_view{} : text.substr(slash + 1);
    const auto length = whole_number<std::uint8_t>(digits, 10, 3);
    if (!length || *length > address.bits() || (digits.size() > 1 && digits.front() == '0')) {
        return fail(Errc::invalid_argument,
                    fmt::format("'{}' has no prefix length; write it like {}", text,
                                address.is_v4() ? "192.0.2.1/24" : "2001:db8::1/64"));
    }
    return IpPrefix{address, *length};
}

}  // namespace vpnha
