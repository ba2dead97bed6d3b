// SPDX-License-Identifier: GPL-2.0-or-later
// Completion for a shell, made from the commands as the program itself parses them: their words and
// their options. Values of options and operands are completed by their names in the usage (FILE,
// GATEWAY, ID).
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

namespace vpnha::cli {

enum class Shell { bash, zsh };

// The type of an option whose value is a file: CLI::Option::type_name().
inline constexpr const char* kFileType = "FILE";

[[nodiscard]] std::string completion_of(const CLI::App& app, Shell shell);

// `ordered` is called while the command line is parsed.
void add_completion(CLI::App& app, const std::function<void(Shell)>& ordered);

}  // namespace vpnha::cli
