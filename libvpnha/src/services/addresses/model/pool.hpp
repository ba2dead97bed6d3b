// SPDX-License-Identifier: GPL-2.0-or-later
// The IPv4 addresses that a gateway may assign. Leaves out the network and broadcast addresses of a
// net (RFC 1122 3.2.1.3): some clients refuse both.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/ip.hpp"

namespace vpnha::keepers {

class Pool {
  public:
    Pool() = default;
    // Nets of IPv6 contribute nothing.
    explicit Pool(const std::vector<IpPrefix>& nets);

    [[nodiscard]] std::uint64_t size() const { return size_; }
    [[nodiscard]] bool contains(Ipv4Address address) const;
    // The same user gets the same address as long as it is free, on every node: the search begins
    // at a place given by the name, and goes once around. nullopt: none is free.
    [[nodiscard]] std::optional<Ipv4Address> choose(
        std::string_view user, const std::function<bool(Ipv4Address)>& is_taken) const;

  private:
    struct Range {
        std::uint32_t first = 0;
        std::uint64_t count = 0;
    };

    [[nodiscard]] Ipv4Address at(std::uint64_t index) const;

    std::vector<Range> ranges_;
    std::uint64_t size_ = 0;
};

}  // namespace vpnha::keepers
