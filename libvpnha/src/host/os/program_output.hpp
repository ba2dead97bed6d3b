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

struct Printed {
    std::string text;
    int code = 0;  // With which it ended; -1: by a signal.
};

// Its standard output, to the end, however it ends. The program's path is the first argument.
// Errors: it cannot be started, or does not end in time.
[[nodiscard]] Result<Printed> printed_by(const std::vector<std::string>& arguments,
                                         std::chrono::milliseconds timeout,
                                         ErrorOutput errors = ErrorOutput::inherited);
// The same of a program that is to end with exit code 0: another one is an error.
[[nodiscard]] Result<std::string> output_of(const std::vector<std::string>& arguments,
                                            std::chrono::milliseconds timeout,
                                            ErrorOutput errors = ErrorOutput::inherited);

}  // namespace vpnha::adapters
