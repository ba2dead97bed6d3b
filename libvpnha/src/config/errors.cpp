// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/errors.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.hpp"

namespace vpnha::config {

namespace {

std::string place(const Section& section, std::string_view gateway, std::string_view key) {
    return fmt::format("{}:{}", header_of(section, gateway), key);
}

}  // namespace

std::string header_of(const Section& section, std::string_view gateway) {
    if (section == Section::gateway) {
        return fmt::format("gateway.{}", gateway);
    }
    return section.is_per_gateway ? fmt::format("gateway.{}.{}", gateway, section.name)
                                  : std::string(section.name);
}

void Errors::set_line(const Section& section, std::string_view gateway, std::string_view key,
                      std::uint32_t line) {
    lines_[place(section, gateway, key)] = line;
}

void Errors::add(const Section& section, std::string_view gateway, std::string_view key,
                 std::string_view what) {
    auto found = lines_.find(place(section, gateway, key));
    if (found == lines_.end()) {
        found = lines_.find(place(section, gateway, ""));
    }
    add_at(found == lines_.end() ? 1 : found->second, what);
}

void Errors::add_at(std::uint32_t line, std::string_view what) {
    if (entries_.size() == limits::kConfigErrorsMax) {
        ++left_out_;
        return;
    }
    entries_.push_back({std::max<std::uint32_t>(line, 1), std::string(what)});
    // An error is one line, also if it quotes the end of another one.
    std::ranges::replace_if(
        entries_.back().what, [](unsigned char c) { return c < ' '; }, ' ');
}

Result<void> Errors::result() const {
    if (entries_.empty()) {
        return {};
    }
    std::vector<Entry> sorted = entries_;
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const Entry& a, const Entry& b) { return a.line < b.line; });
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

}  // namespace vpnha::config
