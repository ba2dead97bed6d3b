// SPDX-License-Identifier: GPL-2.0-or-later
// Effects about many flows.
#pragma once

#include <variant>

#include "cluster/effects/effects.hpp"
#include "services/flows/work.hpp"

namespace vpnha::keepers {

// Requests for many flows share one effect as long as no other effect comes between.
template <class Batch>
Batch& batch(effects::Effects& effects, GatewayId gateway) {
    if (!effects.empty()) {
        auto* const work = std::get_if<effects::ProtocolWork>(&effects.back());
        auto* const last = work == nullptr ? nullptr : work->find<Batch>();
        if (last != nullptr && last->gateway == gateway) {
            return *last;
        }
    }
    effects::Effect& added = effects.emplace_back(Batch{gateway, {}});
    return *std::get<effects::ProtocolWork>(added).find<Batch>();
}

}  // namespace vpnha::keepers
