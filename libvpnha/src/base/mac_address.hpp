// SPDX-License-Identifier: GPL-2.0-or-later
// Ethernet addresses.
#pragma once

#include <array>
#include <cstdint>

#include "base/link_side.hpp"

namespace vpnha {

using MacAddress = std::array<std::uint8_t, 6>;

// Of the devices of a gateway's two sides, at one node. All octets 0: not known.
struct SideMacs {
    MacAddress outside{};
    MacAddress inside{};

    [[nodiscard]] const MacAddress& of(LinkSide side) const {
        return side == LinkSide::outside ? outside : inside;
    }
    [[nodiscard]] bool are_known() const {
        return outside != MacAddress{} && inside != MacAddress{};
    }
    friend bool operator==(const SideMacs&, const SideMacs&) = default;
};

}  // namespace vpnha
