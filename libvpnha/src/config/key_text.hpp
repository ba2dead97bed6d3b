// SPDX-License-Identifier: GPL-2.0-or-later
// Values as vpnha.toml has them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/ip.hpp"
#include "config/config.hpp"

namespace vpnha::config {

[[nodiscard]] std::string quoted_text(std::string_view text);
[[nodiscard]] std::string list(const std::vector<IpPrefix>& prefixes);
[[nodiscard]] std::string list(const std::vector<IpAddress>& addresses);
[[nodiscard]] std::string list(const std::vector<std::string>& paths);
[[nodiscard]] std::string list(const std::vector<Ipv4Endpoint>& servers);
[[nodiscard]] std::string list(const std::vector<HostPort>& hosts);
[[nodiscard]] std::string list(const std::vector<std::uint16_t>& numbers);
[[nodiscard]] std::string text_of(bool flag);

}  // namespace vpnha::config
