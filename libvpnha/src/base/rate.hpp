// SPDX-License-Identifier: GPL-2.0-or-later
// The bandwidth of a session in either direction, and its formats in RADIUS attributes and
// vpnha.toml. Pure.
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

// In vpnha.toml's format: "20M/5M", down first; "20M" is for both; "0/5M" limits only what the
// client sends. K, M, G: 10^3, 10^6, 10^9 bits a second.
[[nodiscard]] std::optional<Rate> parse_rate(std::string_view text);
// In the same format; a number that no unit divides is in bits a second, without one.
[[nodiscard]] std::string to_string(const Rate& rate);

// Attributes of RADIUS that have a rate. Their numbers are those of pppd's plugin
// (docs/reference/plugin-protocol.md).
enum class RateAttribute : std::uint8_t {
    filter_id = 1,            // RFC 2865 5.11: one of the forms that accel-ppp accepts.
    mikrotik_rate_limit = 2,  // Of vendor 14988: up first.
    wispr_max_down = 3,       // WISPr-Bandwidth-Max-Down of vendor 14122.
    wispr_max_up = 4,
    ordered = 5,  // No attribute: the rate of a CoA-Request, as vpnhad gave it to the plugin.
};

// All rate attributes of a packet together: for each direction the last one counts.
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
