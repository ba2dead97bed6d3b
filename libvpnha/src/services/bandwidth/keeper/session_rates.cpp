// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/bandwidth/keeper/session_rates.hpp"

#include <utility>

namespace vpnha::keepers {

void SessionRates::set(const wire::RecordKey& session, const ppp::SessionFacts& facts,
                       Device device, Effects& effects) {
    if (!facts.rate.is_limited()) {
        return remove(session, effects);
    }
    limited_.insert(session);
    effects.emplace_back(bandwidth::SetRate{gateway_.id(), session, facts.rate, facts.mtu,
                                            device.number, std::move(device.interface)});
}

void SessionRates::remove(const wire::RecordKey& session, Effects& effects) {
    if (limited_.erase(session) != 0) {
        effects.emplace_back(bandwidth::RemoveRate{gateway_.id(), session});
    }
}

void SessionRates::remove_all(Effects& effects) {
    for (const wire::RecordKey& session : std::exchange(limited_, {})) {
        effects.emplace_back(bandwidth::RemoveRate{gateway_.id(), session});
    }
}

}  // namespace vpnha::keepers
