// SPDX-License-Identifier: GPL-2.0-or-later
// The cluster's configuration as `cibadmin` prints it: one element after the other, values in
// double quotes, '<' and '>' within them escaped.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/os/program_output.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

// A section of this node's copy. An error when it cannot be read in time.
[[nodiscard]] Result<std::string> query_cib(const std::string& cibadmin, const std::string& scope,
                                            std::chrono::milliseconds timeout,
                                            ErrorOutput errors = ErrorOutput::inherited);
// From '<' to before '>', in their order; they refer to the text that is given.
[[nodiscard]] std::vector<std::string_view> elements_of(std::string_view xml);
// Empty: it has none of that name.
[[nodiscard]] std::string attribute(std::string_view element, std::string_view name);

}  // namespace vpnha::adapters
