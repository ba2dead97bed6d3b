// SPDX-License-Identifier: GPL-2.0-or-later
// A protocol that this library does not have: its keeper and its carrier come with the program
// (runtime/protocol.hpp), and only these two know what they tell each other.
#pragma once

#include <any>

#include "base/ids.hpp"

namespace vpnha::node {

struct OtherWork {
    GatewayId gateway;
    std::any what;
};
struct OtherEvent {
    const std::any& what;
};

}  // namespace vpnha::node
