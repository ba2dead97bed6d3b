// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/looks/found.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "cli/json_text.hpp"
#include "cli/table.hpp"

namespace vpnha::cli::looks {

namespace {

// The mark between a line's subject and its text.
std::string_view mark_of(Level level) {
    switch (level) {
        case Level::advice:
            return "advice: ";
        case Level::warning:
            return "warning: ";
        case Level::unread:
            return "not looked at: ";
        case Level::good:
        case Level::note:
        case Level::error:
            break;
    }
    return "";
}

}  // namespace

std::string_view to_string(Level level) {
    switch (level) {
        case Level::good:
            return "good";
        case Level::note:
            return "note";
        case Level::advice:
            return "advice";
        case Level::warning:
            return "warning";
        case Level::error:
            return "error";
        case Level::unread:
            break;
    }
    return "not-looked-at";
}

void Found::print(Level level, std::string_view about, const std::string& text) {
    if (as_json_) {
        list_.push_back({{"about", about}, {"level", to_string(level)}, {"text", text}});
    } else if (about == kAboutFile) {
        out_ << mark_of(level) << printable(text) << "\n";
    } else {
        out_ << about << ": " << mark_of(level) << printable(text) << "\n";
    }
}

void Found::print_all(Level level, std::string_view about, const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
        print(level, about, text);
    }
}

void Found::error(std::string_view about, const Error& error) {
    code_ = std::max(code_, exit_code_for(error.code));
    if (as_json_) {
        print(Level::error, about, error.detail);
    } else if (about == kAboutFile) {
        report(error, err_);
    } else {
        report({error.code, fmt::format("{}: {}", about, error.detail)}, err_);
    }
}

ExitCode Found::end(const std::string& file) {
    if (as_json_) {
        out_ << json_text(
                    {{"file", file}, {"exit_code", static_cast<int>(code_)}, {"findings", list_}},
                    2)
             << "\n";
    }
    return code_;
}

}  // namespace vpnha::cli::looks
