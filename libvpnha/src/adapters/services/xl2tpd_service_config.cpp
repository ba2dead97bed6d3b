// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/services/xl2tpd_service_config.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/number.hpp"

namespace vpnha::adapters {

namespace {

constexpr std::uint16_t kL2tpPort = 1701;

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

Result<std::uint16_t> parse_port(std::string_view text, std::string_view file_name) {
    const auto port = parse_whole<std::uint16_t>(text);
    if (!port || *port == 0) {
        return fail(Errc::invalid_config,
                    fmt::format("{}: port = {} is no UDP port", file_name, text));
    }
    return *port;
}

}  // namespace

Result<Xl2tpdConfig> parse_xl2tpd_config(std::string_view text, std::string_view file_name) {
    Xl2tpdConfig config;
    config.listen.port = kL2tpPort;
    bool listens = false;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = trimmed(text.substr(0, std::min(text.find(';'), end)));
        text.remove_prefix(std::min(end + 1, text.size()));
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos) {
            continue;
        }
        const std::string_view key = trimmed(line.substr(0, equals));
        const std::string_view value = trimmed(line.substr(equals + 1));
        if (key == "listen-addr") {
            VPNHA_TRY(config.listen.address, parse_ipv4(value));
            listens = config.listen.address.value != 0;
        } else if (key == "port") {
            VPNHA_TRY(config.listen.port, parse_port(value, file_name));
        } else if (key == "pppoptfile" &&
                   std::find(config.options_files.begin(), config.options_files.end(), value) ==
                       config.options_files.end()) {
            config.options_files.emplace_back(value);
        }
    }
    if (!listens) {
        return fail(
            Errc::invalid_config,
            fmt::format("{}: no listen-addr; set it to the gateway's VIP in [global]", file_name));
    }
    return config;
}

}  // namespace vpnha::adapters
