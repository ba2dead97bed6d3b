// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/service/pptpd_service_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/number.hpp"
#include "base/text.hpp"

namespace vpnha::adapters {

namespace {

constexpr std::string_view kBlanks = " \t\r";

// The first word of a line and the rest; a comment has neither.
std::pair<std::string_view, std::string_view> split_pptpd_line(std::string_view line) {
    const std::string_view text = trimmed(line.substr(0, line.find('#')), kBlanks);
    const std::size_t end = std::min(text.find_first_of(kBlanks), text.size());
    return {text.substr(0, end), trimmed(text.substr(end), kBlanks)};
}

// "10.0.0.2,10.0.1.10-30" has 22. An item that is no address counts as one.
std::uint32_t count_addresses(std::string_view list) {
    std::uint32_t count = 0;
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(','), list.size());
        const std::string_view range = list.substr(0, end);
        list.remove_prefix(std::min(end + 1, list.size()));
        const std::size_t dash = std::min(range.find('-'), range.size());
        const std::string_view from = range.substr(0, dash);
        const auto first = parse_whole<std::uint32_t>(from.substr(from.find_last_of('.') + 1));
        const auto last =
            parse_whole<std::uint32_t>(range.substr(std::min(dash + 1, range.size())));
        count += first && last && *last >= *first ? *last - *first + 1 : 1;
    }
    return count;
}

}  // namespace

Result<PptpdConfig> parse_pptpd_config(std::string_view text, std::string_view file_name) {
    PptpdConfig config;
    std::optional<std::uint32_t> addresses;
    bool delegates = false;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const auto [key, value] = split_pptpd_line(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (key == "listen") {
            VPNHA_TRY(config.listen, parse_ipv4(value));
        } else if (key == "option") {
            config.options_file = value;
        } else if (key == "connections") {
            config.connections = parse_whole<std::uint32_t>(value).value_or(config.connections);
        } else if (key == "remoteip") {
            addresses = count_addresses(value);
        } else if (key == "delegate") {
            delegates = true;
        }
    }
    if (addresses && !delegates) {
        config.connections = std::min(config.connections, *addresses);
    }
    if (config.listen == Ipv4Address{}) {
        return fail(
            Errc::invalid_config,
            fmt::format("{}: no address in 'listen'; set it to the gateway's VIP", file_name));
    }
    if (config.options_file.empty()) {
        return fail(
            Errc::invalid_config,
            fmt::format("{}: no 'option'; name the file with the options of its pppds", file_name));
    }
    return config;
}

}  // namespace vpnha::adapters
