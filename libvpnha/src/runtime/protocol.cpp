// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/protocol.hpp"

#include "runtime/timers.hpp"

namespace vpnha::runtime {

std::vector<keepers::Make> families_with(std::span<const Protocol> others) {
    std::vector<keepers::Make> all(keepers::families().begin(), keepers::families().end());
    for (const Protocol& each : others) {
        all.push_back(each.keeper);
    }
    return all;
}

Result<Carriers> open_carriers(std::span<const Protocol> others, const CarrierHost& host) {
    Carriers opened;
    CarrierHost own = host;
    for (const Protocol& each : others) {
        own.first_timer = kCarrierTimer + static_cast<int>(opened.size()) * kTimersOfACarrier;
        VPNHA_TRY(auto carrier, each.open(own));
        opened.push_back(std::move(carrier));
    }
    return opened;
}

}  // namespace vpnha::runtime
