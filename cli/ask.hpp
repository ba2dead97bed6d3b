// SPDX-License-Identifier: GPL-2.0-or-later
// Sends requests to vpnhad, and turns its answers into texts.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "cli/exit_code.hpp"
#include "vpnha/result.hpp"

namespace vpnha::cli {

using Ask =
    std::function<Result<nlohmann::json>(std::string_view verb, const nlohmann::json& arguments)>;

// With a connection for each request.
[[nodiscard]] Ask ask_at(std::string socket);

// An answer that this program cannot read.
[[nodiscard]] Error other_version(const nlohmann::json::exception& error);

// The findings in the result of the verb `status`. Error: vpnhad does not answer, or `judge` throws
// that exception.
[[nodiscard]] Result<std::vector<std::string>> judge_status(
    const Ask& ask, const std::function<std::vector<std::string>(const nlohmann::json&)>& judge);

// A text, and the error if vpnhad did not answer. In that case the text includes the error.
struct Rendered {
    std::string text;
    std::optional<Error> error{};
};

// Replaces the file, or prints if there is none. Then it reports the error.
ExitCode hand_over(const Rendered& given, const std::string& file, std::ostream& out,
                   std::ostream& err);

}  // namespace vpnha::cli
