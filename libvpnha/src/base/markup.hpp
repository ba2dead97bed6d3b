// SPDX-License-Identifier: GPL-2.0-or-later
// Text within XML and HTML.
#pragma once

#include <string>
#include <string_view>

namespace vpnha {

// As content, or as the value of an attribute between double quotes.
[[nodiscard]] inline std::string escaped_markup(std::string_view text) {
    std::string out;
    for (const char each : text) {
        switch (each) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += each;
        }
    }
    return out;
}

}  // namespace vpnha
