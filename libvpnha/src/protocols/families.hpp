// SPDX-License-Identifier: GPL-2.0-or-later
// The families of records: the one list of them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/time.hpp"
#include "config/served.hpp"
#include "protocols/keeper.hpp"
#include "protocols/list.hpp"
#include "services/accounting/keeper/accounts.hpp"
#include "services/addresses/keeper/addresses.hpp"
#include "services/flows/keeper/flows.hpp"

namespace vpnha::keepers {

// Of one gateway, for all families.
struct Settings {
    // A pppd continues after that, even if no standby has confirmed its session.
    Duration confirm_wait = std::chrono::milliseconds(50);
    // How many clients a second are notified after a takeover that they have to dial again.
    std::uint32_t redials_per_second = 100;
    FlowSettings flows;
    AddressSettings addresses;
    AccountSettings accounts;
    config::ServedProtocols protocols{};
    bool resume_scripts = false;  // pppd's scripts run for resumed sessions.
    bool radius_rates = false;    // RADIUS servers change the rates of sessions.
};

// The gateway outlives the keeper. nullptr: it does not serve that family.
using Make = std::unique_ptr<Keeper> (*)(Gateway& gateway, const Settings& settings);

// A protocol's family.
struct Family {
    Make make;
    bool carries_others = false;  // Sessions of other protocols run inside its own.
};

// In the order in which they are called.
[[nodiscard]] std::span<const Make> families();

}  // namespace vpnha::keepers

namespace vpnha {

#define VPNHA_FAMILIES(protocol)                                  \
    namespace protocol {                                          \
    [[nodiscard]] std::vector<vpnha::keepers::Family> families(); \
    }
VPNHA_PROTOCOLS(VPNHA_FAMILIES)
#undef VPNHA_FAMILIES

}  // namespace vpnha
