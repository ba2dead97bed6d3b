// SPDX-License-Identifier: GPL-2.0-or-later
// Asks vpnhad, and what is made of its answers.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "vpnha/result.hpp"

namespace vpnha::cli {

using Ask =
    std::function<Result<nlohmann::json>(std::string_view verb, const nlohmann::json& arguments)>;

// By a connection for each request.
[[nodiscard]] Ask ask_at(std::string socket);

// An answer that this program cannot read.
[[nodiscard]] Error other_version(const nlohmann::json::exception& error);

// A text for readers who have no other way to learn that vpnhad did not answer.
struct Rendered {
    std::string text;
    std::optional<Error> error{};
};

}  // namespace vpnha::cli
