// SPDX-License-Identifier: GPL-2.0-or-later
// The findings of `vpnha doctor`: a line each at once, errors on another stream; or all of them
// together as JSON.
#pragma once

#include <iosfwd>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "cli/exit_code.hpp"
#include "vpnha/result.hpp"

namespace vpnha::cli::looks {

enum class Level {
    good,     // Checked, without a fault.
    note,     // For information.
    advice,   // It works, and would work better.
    warning,  // It may fail, or fails elsewhere.
    error,    // A gateway would not work, or not continue.
    unread,   // Could not be checked.
};

// "not-looked-at" of unread.
[[nodiscard]] std::string_view to_string(Level level);

// Lines about the file itself do not begin with a subject.
inline constexpr std::string_view kAboutFile = "configuration";

class Found {
  public:
    // The streams must outlive it.
    Found(bool as_json, std::ostream& out, std::ostream& err)
        : as_json_(as_json), out_(out), err_(err) {}

    void print(Level level, std::string_view about, const std::string& text);
    void print_all(Level level, std::string_view about, const std::vector<std::string>& texts);
    // It determines the exit code.
    void error(std::string_view about, const Error& error);

    // The worst error's code. As JSON it prints all, of that file.
    [[nodiscard]] ExitCode end(const std::string& file);

  private:
    bool as_json_;
    std::ostream& out_;
    std::ostream& err_;
    ExitCode code_ = ExitCode::ok;
    nlohmann::json list_ = nlohmann::json::array();
};

}  // namespace vpnha::cli::looks
