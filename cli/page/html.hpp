// SPDX-License-Identifier: GPL-2.0-or-later
// The common parts of all this program's pages: one style, in one file that loads no other one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vpnha::cli {

// A whole document. `title` is a text, and a heading as well; `body` is markup.
[[nodiscard]] std::string html_document(std::string_view title, std::string_view body);

// Of texts: an item each.
[[nodiscard]] std::string html_items(const std::vector<std::string>& texts);

// Of texts: a cell each.
[[nodiscard]] std::string html_table(const std::vector<std::string>& header,
                                     const std::vector<std::vector<std::string>>& rows);

}  // namespace vpnha::cli
