// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/families.hpp"

#include <algorithm>
#include <iterator>

#include "services/drain/keeper/drain.hpp"

namespace vpnha::keepers {

namespace {

std::unique_ptr<Keeper> make_flows(Gateway& gateway, const Settings& settings) {
    return std::make_unique<Flows>(gateway, settings.flows);
}

std::unique_ptr<Keeper> make_addresses(Gateway& gateway, const Settings& settings) {
    return std::make_unique<Addresses>(gateway, settings.addresses);
}

std::unique_ptr<Keeper> make_drain(Gateway& gateway, const Settings&) {
    return std::make_unique<Drain>(gateway);
}

std::unique_ptr<Keeper> make_accounts(Gateway& gateway, const Settings& settings) {
    return std::make_unique<Accounts>(gateway, settings.accounts);
}

// A family that carries others precedes those that run inside it; addresses and accounts follow the
// families that use them.
std::vector<Make> make_list() {
    std::vector<Family> own;
#define VPNHA_FAMILIES(protocol) std::ranges::copy(protocol::families(), std::back_inserter(own));
    VPNHA_PROTOCOLS(VPNHA_FAMILIES)
#undef VPNHA_FAMILIES
    std::ranges::stable_partition(own, &Family::carries_others);
    std::vector<Make> all;
    std::ranges::transform(own, std::back_inserter(all), &Family::make);
    const auto across = {&make_flows, &make_addresses, &make_accounts, &make_drain};
    all.insert(all.end(), across.begin(), across.end());
    return all;
}

}  // namespace

std::span<const Make> families() {
    static const std::vector<Make> kFamilies = make_list();
    return kFamilies;
}

}  // namespace vpnha::keepers
