// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vpnha::cli {

namespace {

std::string_view escape_of(Colour colour) {
    switch (colour) {
        case Colour::plain:
            return "";
        case Colour::green:
            return "\x1b[32m";
        case Colour::yellow:
            return "\x1b[33m";
        case Colour::red:
            return "\x1b[31m";
        case Colour::bold:
            return "\x1b[1m";
    }
    return "";
}

bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

// Characters, not bytes; names of double width are rare, and their columns are uneven.
std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

// Octets of the first character if a terminal interprets it: controls, those of U+0080 to U+009F
// among them, line separators, and the marks of the text's direction. 0: it does not.
std::size_t steering_at(std::string_view text) {
    const auto octet = [text](std::size_t at) {
        return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
    };
    const auto is_between = [](unsigned value, unsigned first, unsigned last) {
        return value >= first && value <= last;
    };
    if (octet(0) < 0x20 || octet(0) == 0x7f) {
        return 1;
    }
    if ((octet(0) == 0xc2 && is_between(octet(1), 0x80, 0x9f)) ||
        (octet(0) == 0xd8 && octet(1) == 0x9c)) {  // U+061C
        return 2;
    }
    if (octet(0) != 0xe2) {
        return 0;
    }
    const bool is_mark =
        (octet(1) == 0x80 &&  // U+200E, U+200F; U+2028 to U+202E
         (is_between(octet(2), 0x8e, 0x8f) || is_between(octet(2), 0xa8, 0xae))) ||
        (octet(1) == 0x81 && is_between(octet(2), 0xa6, 0xa9));  // U+2066 to U+2069
    return is_mark ? 3 : 0;
}

}  // namespace

std::string printable(std::string_view text) {
    std::string safe(text);
    for (std::size_t i = 0; i < safe.size(); ++i) {
        if (const std::size_t size = steering_at(std::string_view(safe).substr(i)); size != 0) {
            safe.replace(i, size, "?");
        }
    }
    return safe;
}

std::string paint(std::string_view text, Colour colour, bool use_colour) {
    return use_colour && colour != Colour::plain
               ? fmt::format("{}{}\x1b[0m", escape_of(colour), text)
               : std::string(text);
}

std::string render_table(const std::vector<std::string>& header, const std::vector<Row>& rows,
                         bool use_colour) {
    std::vector<Row> all;
    all.emplace_back();
    for (const std::string& title : header) {
        all.front().emplace_back(title, Colour::bold);
    }
    all.insert(all.end(), rows.begin(), rows.end());
    std::vector<std::size_t> widths(header.size());
    for (const Row& row : all) {
        for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
            widths[i] = std::max(widths[i], width_of(row[i].text));
        }
    }
    std::string text;
    for (const Row& row : all) {
        std::string line;
        std::size_t blanks = 0;  // Written before the next text, so that no line ends with them.
        for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
            if (!row[i].text.empty()) {
                line += std::string(blanks, ' ') + paint(row[i].text, row[i].colour, use_colour);
                blanks = 0;
            }
            blanks += widths[i] - width_of(row[i].text) + 2;
        }
        text += line + "\n";
    }
    return text;
}

}  // namespace vpnha::cli
