// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/ids.hpp"

#include <fmt/format.h>

#include <optional>

#include "base/number.hpp"

namespace vpnha {

namespace {

// A decimal number of at most `max` without sign, blanks or leading zeros.
std::optional<unsigned> decimal(std::string_view text, unsigned max) {
    const auto value = parse_whole<unsigned>(text);
    return value && *value <= max && (text.size() == 1 || text.front() != '0') ? value
                                                                               : std::nullopt;
}

}  // namespace

std::string to_string(const Epoch& epoch) {
    return fmt::format("{}.{}", epoch.number, epoch.node.value);
}

std::string to_string(const Ipv4Address& address) {
    const std::uint32_t v = address.value;
    return fmt::format("{}.{}.{}.{}", v >> 24, v >> 16 & 0xff, v >> 8 & 0xff, v & 0xff);
}

std::string to_string(const Ipv4Endpoint& endpoint) {
    return fmt::format("{}:{}", to_string(endpoint.address), endpoint.port);
}

Result<Ipv4Address> parse_ipv4(std::string_view text) {
    std::string_view left = text;
    std::uint32_t value = 0;
    for (int part = 0; part < 4; ++part) {
        const std::size_t dot = part < 3 ? left.find('.') : left.size();
        const auto octet =
            dot == std::string_view::npos ? std::nullopt : decimal(left.substr(0, dot), 255);
        if (!octet) {
            return fail(Errc::invalid_argument,
                        fmt::format("'{}' is no IPv4 address; write it like 192.0.2.1", text));
        }
        value = value << 8 | *octet;
        left.remove_prefix(part < 3 ? dot + 1 : dot);
    }
    return Ipv4Address{value};
}

}  // namespace vpnha
