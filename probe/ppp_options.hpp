// SPDX-License-Identifier: GPL-2.0-or-later
// The options in a Configure packet of LCP, IPCP and CCP (RFC 1661 6). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.hpp"

namespace vpnha::probe {

// Views of the octets that it was parsed from.
struct PppOption {
    std::uint8_t type = 0;
    ByteView value{};
    ByteView whole{};
};

// nullopt: they do not fill the packet exactly.
[[nodiscard]] std::optional<std::vector<PppOption>> parse_ppp_options(ByteView octets);

}  // namespace vpnha::probe
