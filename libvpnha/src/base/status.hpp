// SPDX-License-Identifier: GPL-2.0-or-later
// A component's part of `vpnha status`, independent of how it is printed.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace vpnha {

// std::monostate: null.
using StatusValue =
    std::variant<std::monostate, bool, std::uint64_t, double, std::string, std::vector<double>>;
// By the place in the document (docs/reference/control-protocol.md), without the first slash of a
// JSON
// pointer: "accounting/waiting".
using Status = std::map<std::string, StatusValue>;

}  // namespace vpnha
