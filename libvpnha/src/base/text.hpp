// SPDX-License-Identifier: GPL-2.0-or-later
// Helpers for pieces of text in files.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace vpnha {

// Without any of `blanks` at its ends.
[[nodiscard]] constexpr std::string_view trimmed(std::string_view text, std::string_view blanks) {
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

// As strcasecmp(3) compares in the locale "C".
[[nodiscard]] inline std::string lowered(std::string_view text) {
    std::string low(text);
    std::ranges::transform(low, low.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return low;
}

}  // namespace vpnha
