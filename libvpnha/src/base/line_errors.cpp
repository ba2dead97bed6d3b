// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/line_errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/limits.hpp"

namespace vpnha {

void LineErrors::add_at(std::uint32_t line, std::string_view what) {
    if (entries_.size() == limits::kConfigErrorsMax) {
        ++left_out_;
        return;
    }
    entries_.push_back({std::max<std::uint32_t>(line, 1), std::string(what)});
    // An error is one line, even if it quotes the end of another one.
    std::ranges::replace_if(
        entries_.back().what, [](unsigned char c) { return c < ' '; }, ' ');
}

Result<void> LineErrors::result() const {
    if (entries_.empty()) {
        return {};
    }
    std::vector<Entry> sorted = entries_;
    std::ranges::stable_sort(sorted, {}, &Entry::line);
    std::string text;
    for (const Entry& entry : sorted) {
        text += fmt::format("{}{}:{}: {}", text.empty() ? "" : "\n", file_name_, entry.line,
                            entry.what);
    }
    if (left_out_ != 0) {
        text += fmt::format("\n{}: {} more errors; correct these first", file_name_, left_out_);
    }
    return fail(Errc::invalid_config, std::move(text));
}

}  // namespace vpnha
