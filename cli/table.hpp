// SPDX-License-Identifier: GPL-2.0-or-later
// Text in columns for a terminal.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <vector>

namespace vpnha::cli {

// User names and interfaces come from peers: what a terminal could interpret is shown as '?'.
[[nodiscard]] std::string printable(std::string_view text);

enum class Colour { plain, green, yellow, red, bold };

struct Cell {
    // Implicit from any text, so that a row is written as its texts.
    template <std::convertible_to<std::string_view> Text>
    Cell(const Text& given, Colour given_colour = Colour::plain)  // NOLINT(*-explicit-*)
        : text(printable(given)), colour(given_colour) {}

    std::string text;
    Colour colour;
};

using Row = std::vector<Cell>;

// Columns as wide as their widest cell, two blanks apart; no blanks at the ends of lines.
[[nodiscard]] std::string render_table(const std::vector<std::string>& header,
                                       const std::vector<Row>& rows, bool use_colour);

[[nodiscard]] std::string paint(std::string_view text, Colour colour, bool use_colour);

}  // namespace vpnha::cli
