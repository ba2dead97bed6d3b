// SPDX-License-Identifier: GPL-2.0-or-later
// The output of `vpnha sessions` for the result of the verb `sessions`.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "vpnha/result.hpp"

namespace vpnha::cli {

// Names for --columns, in the order in which --help lists them.
[[nodiscard]] std::vector<std::string> session_columns();
// With the reasons if one of the sessions has one.
[[nodiscard]] std::vector<std::string> default_session_columns(const nlohmann::json& result);

// "gateway,user,address" as a list of known columns.
[[nodiscard]] Result<std::vector<std::string>> parse_columns(const std::string& text);

// Which sessions and columns are shown, and in which order.
struct SessionsOrder {
    std::string columns{};  // "gateway,user"; empty: the default ones.
    std::string sort{};     // The same; empty: gateway, user and address.
    std::vector<std::string>
        where{};  // "user=al*": a column and a pattern of fnmatch(3); all hold.
};
// Error invalid_argument: it names the unknown columns.
[[nodiscard]] Result<void> check(const SessionsOrder& order);
// Numbers within a text count as numbers: 10.0.0.9 comes before 10.0.0.10.
[[nodiscard]] nlohmann::json select_sessions(const nlohmann::json& result,
                                             const SessionsOrder& order, std::int64_t now_unix_s);

[[nodiscard]] std::string render_sessions(const nlohmann::json& result,
                                          const std::vector<std::string>& columns,
                                          std::int64_t now_unix_s, bool use_colour);

// One session, a line for each column that is not empty.
[[nodiscard]] std::string render_session(const nlohmann::json& session, std::int64_t now_unix_s);

// Seconds since 1970 of "2026-01-01T00:00:00Z", fractions ignored; -1 for other texts.
[[nodiscard]] std::int64_t unix_seconds(const std::string& timestamp);
// "59s", "12m 3s", "3h 20m", "2d 4h".
[[nodiscard]] std::string age_text(std::int64_t seconds);

}  // namespace vpnha::cli
