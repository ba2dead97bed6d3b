// SPDX-License-Identifier: GPL-2.0-or-later
// What a program prints.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "vpnha/result.hpp"

namespace vpnha::adapters {

// What becomes of what the program writes to its standard error.
enum class ErrorOutput { inherited, dropped };

// Its standard output, to the end. The program's path is the first argument. Errors: it cannot be
// started, does not end in time, or not with exit code 0.
[[nodiscard]] Result<std::string> output_of(const std::vector<std::string>& arguments,
                                            std::chrono::milliseconds timeout,
                                            ErrorOutput errors = ErrorOutput::inherited);

}  // namespace vpnha::adapters
