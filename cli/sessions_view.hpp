// SPDX-License-Identifier: GPL-2.0-or-later
// What `vpnha sessions` says about the result of the verb `sessions`.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "vpnha/result.hpp"

namespace vpnha::cli {

// Names that --columns takes, in the order in which --help lists them.
[[nodiscard]] std::vector<std::string> session_columns();
// With the reasons when one of the sessions has one.
[[nodiscard]] std::vector<std::string> default_session_columns(const nlohmann::json& result);

// "gateway,user,address" as a list of known columns.
[[nodiscard]] Result<std::vector<std::string>> parse_columns(const std::string& text);

// What of the sessions is shown, and in which order.
struct SessionsOrder {
    std::string columns{};  // "gateway,user"; empty: the default ones.
    std::string sort{};     // The same; empty: gateway, user and address.
    std::vector<std::string>
        where{};  // "user=al*": a column and a pattern of fnmatch(3); all hold.
};
// Error invalid_argument: it names what is no column.
[[nodiscard]] Result<void> check(const SessionsOrder& order);
// Numbers within a text count as such: 10.0.0.9 comes before 10.0.0.10.
[[nodiscard]] nlohmann::json select_sessions(const nlohmann::json& result,
                                             const SessionsOrder& order, std::int64_t now_unix_s);

[[nodiscard]] std::string render_sessions(const nlohmann::json& result,
                                          const std::vector<std::string>& columns,
                                          std::int64_t now_unix_s, bool use_colour);

// One session, a line for each column that has something.
[[nodiscard]] std::string render_session(const nlohmann::json& session, std::int64_t now_unix_s);

// Seconds since 1970 of "2026-01-01T00:00:00Z", fractions ignored; -1 when it is no such text.
[[nodiscard]] std::int64_t unix_seconds(const std::string& timestamp);
// "59s", "12m 3s", "3h 20m", "2d 4h".
[[nodiscard]] std::string age_text(std::int64_t seconds);

}  // namespace vpnha::cli
