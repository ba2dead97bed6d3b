// SPDX-License-Identifier: GPL-2.0-or-later
// Text in columns for a terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vpnha::cli {

enum class Colour { plain, green, yellow, red, bold };

struct Cell {
    Cell(std::string_view given_text, Colour given_colour = Colour::plain);  // NOLINT: a row reads
    std::string text;                                                        // as its texts.
    Colour colour;
};

using Row = std::vector<Cell>;

// Columns as wide as their widest cell, two blanks apart; no blanks at the ends of lines.
[[nodiscard]] std::string render_table(const std::vector<std::string>& header,
                                       const std::vector<Row>& rows, bool use_colour);

[[nodiscard]] std::string paint(std::string_view text, Colour colour, bool use_colour);

// User names and interfaces come from peers: what could steer a terminal is shown as '?'.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace vpnha::cli
