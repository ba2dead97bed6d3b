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

Result<Backends> open_backends(std::span<const Protocol> others, const BackendHost& host) {
    Backends opened;
    BackendHost own = host;
    for (const Protocol& each : others) {
        own.first_timer = kBackendTimer + static_cast<int>(opened.size()) * kTimersOfABackend;
        VPNHA_TRY(auto backend, each.open(own));
        opened.push_back(std::move(backend));
    }
    return opened;
}

}  // namespace vpnha::runtime
