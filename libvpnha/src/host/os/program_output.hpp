// SPDX-License-Identifier: GPL-2.0-or-later
// The output of a program.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "vpnha/result.hpp"

namespace vpnha::adapters {

// The handling of the program's standard error.
enum class ErrorOutput { inherited, dropped };

struct Printed {
    std::string text;
    int code = 0;  // Its exit code; -1: ended by a signal.
};

// Its standard output, to the end, however it ends. The program's path is the first argument.
// Errors: it cannot be started, or does not end in time.
[[nodiscard]] Result<Printed> printed_by(const std::vector<std::string>& arguments,
                                         std::chrono::milliseconds timeout,
                                         ErrorOutput errors = ErrorOutput::inherited);
// The same for a program that has to end with exit code 0: another one is an error.
[[nodiscard]] Result<std::string> output_of(const std::vector<std::string>& arguments,
                                            std::chrono::milliseconds timeout,
                                            ErrorOutput errors = ErrorOutput::inherited);

}  // namespace vpnha::adapters
