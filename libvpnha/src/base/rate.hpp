// SPDX-License-Identifier: GPL-2.0-or-later
// How fast a session may be in either direction, and how RADIUS servers and vpnha.toml write it.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace vpnha {

// In bits a second of IP packets; 0: as fast as the path is.
struct Rate {
    std::uint64_t down = 0;  // To the client.
    std::uint64_t up = 0;

    [[nodiscard]] bool is_limited() const { return down != 0 || up != 0; }
    friend bool operator==(const Rate&, const Rate&) = default;
};

// Below it a packet takes seconds; above it the kernel's numbers end.
inline constexpr std::uint64_t kRateMin = 8'000;
inline constexpr std::uint64_t kRateMax = 10'000'000'000;
// Each direction has no limit, or one within the bounds.
[[nodiscard]] bool is_sound(const Rate& rate);

// As vpnha.toml has it: "20M/5M", down first; "20M" is for both; "0/5M" limits what it sends alone.
// K, M, G: 10^3, 10^6, 10^9 bits a second.
[[nodiscard]] std::optional<Rate> parse_rate(std::string_view text);
// In the same way; what no unit divides is in bits a second, without one.
[[nodiscard]] std::string to_string(const Rate& rate);

// Attributes of RADIUS that have a rate. Their numbers are those of pppd's plugin
// (docs/reference/plugin-protocol.md).
enum class RateAttribute : std::uint8_t {
    filter_id = 1,            // RFC 2865 5.11: one of the forms that accel-ppp takes.
    mikrotik_rate_limit = 2,  // Of vendor 14988: up first.
    wispr_max_down = 3,       // WISPr-Bandwidth-Max-Down of vendor 14122.
    wispr_max_up = 4,
    ordered = 5,  // No attribute: what a CoA-Request has wanted, as vpnhad gave it to the plugin.
};

// What all attributes of a packet say together: of each direction the last one counts.
class RadiusRate {
  public:
    // False: that is no rate. A Filter-Id may as well be the name of a filter.
    [[nodiscard]] bool take(RateAttribute attribute, ByteView value);
    // nullopt: none of them was one.
    [[nodiscard]] std::optional<Rate> rate() const;

  private:
    std::optional<std::uint64_t> down_;
    std::optional<std::uint64_t> up_;
};

// The octets of RateAttribute::ordered.
[[nodiscard]] Bytes encode_ordered_rate(const Rate& rate);

}  // namespace vpnha
