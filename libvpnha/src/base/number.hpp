// SPDX-License-Identifier: GPL-2.0-or-later
// A text that is a number, and nothing else.
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>
#include <system_error>

namespace vpnha {

// Digits of `base`, 2 to 36, in either case; before them a minus for a signed Integer. Nullopt:
// another text, also an empty one, or a number out of Integer's range.
template <std::integral Integer>
[[nodiscard]] std::optional<Integer> parse_whole(std::string_view text, int base = 10) {
    Integer value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value, base);
    return error == std::errc{} && stop == end ? std::optional(value) : std::nullopt;
}

}  // namespace vpnha
