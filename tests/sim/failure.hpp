// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace vpnha::sim {

// An invariant does not hold.
struct Failure : std::runtime_error {
    Failure(std::string broken, const std::string& what)
        : std::runtime_error(what), invariant(std::move(broken)) {}
    std::string invariant;
};

}  // namespace vpnha::sim
