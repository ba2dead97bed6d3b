// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/key_text.hpp"

#include <fmt/format.h>

namespace vpnha::config {

std::string quoted_text(std::string_view text) {
    return fmt::format("\"{}\"", text);
}

std::string list(const std::vector<IpPrefix>& prefixes) {
    std::string text;
    for (const IpPrefix& prefix : prefixes) {
        text += fmt::format("{}\"{}\"", text.empty() ? "" : ", ", to_string(prefix));
    }
    return fmt::format("[{}]", text);
}

std::string list(const std::vector<IpAddress>& addresses) {
    std::string text;
    for (const IpAddress& address : addresses) {
        text += fmt::format("{}\"{}\"", text.empty() ? "" : ", ", to_string(address));
    }
    return fmt::format("[{}]", text);
}

std::string list(const std::vector<std::string>& paths) {
    std::string text;
    for (const std::string& path : paths) {
        text += fmt::format("{}\"{}\"", text.empty() ? "" : ", ", path);
    }
    return fmt::format("[{}]", text);
}

std::string list(const std::vector<Ipv4Endpoint>& servers) {
    std::string text;
    for (const Ipv4Endpoint& server : servers) {
        text += fmt::format("{}\"{}\"", text.empty() ? "" : ", ", to_string(server));
    }
    return fmt::format("[{}]", text);
}

std::string list(const std::vector<HostPort>& hosts) {
    std::string text;
    for (const HostPort& host : hosts) {
        text += fmt::format("{}\"{}\"", text.empty() ? "" : ", ", to_string(host));
    }
    return fmt::format("[{}]", text);
}

std::string list(const std::vector<std::uint16_t>& numbers) {
    return fmt::format("[{}]", fmt::join(numbers, ", "));
}

std::string text_of(bool flag) {
    return flag ? "true" : "false";
}

}  // namespace vpnha::config
