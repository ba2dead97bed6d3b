// SPDX-License-Identifier: GPL-2.0-or-later
// Effects about many flows.
#pragma once

#include <variant>

#include "node/effects.hpp"

namespace vpnha::node {

// What is wanted of many flows is one effect for as long as nothing else comes between.
template <class Batch>
Batch& batch(Effects& effects, GatewayId gateway) {
    if (!effects.empty()) {
        auto* const last = std::get_if<Batch>(&effects.back());
        if (last != nullptr && last->gateway == gateway) {
            return *last;
        }
    }
    return std::get<Batch>(effects.emplace_back(Batch{gateway, {}}));
}

}  // namespace vpnha::node
