// SPDX-License-Identifier: GPL-2.0-or-later
// The two sides of a gateway.
#pragma once

#include <cstddef>
#include <string_view>

namespace vpnha {

// Where clients arrive, and where their traffic is forwarded.
enum class LinkSide { outside, inside };
inline constexpr LinkSide kLinkSides[] = {LinkSide::outside, LinkSide::inside};
inline constexpr std::size_t kLinkSideCount = 2;

[[nodiscard]] constexpr std::string_view to_string(LinkSide side) {
    return side == LinkSide::outside ? "outside" : "inside";
}

}  // namespace vpnha
