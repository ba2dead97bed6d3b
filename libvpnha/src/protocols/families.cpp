// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/families.hpp"

#include "protocols/ipsec/keeper/ipsec_sas.hpp"
#include "protocols/ipsec/keeper/open_requests.hpp"
#include "protocols/ipsec/table.hpp"
#include "protocols/l2tp/keeper/sessions.hpp"
#include "protocols/l2tp/table.hpp"
#include "protocols/pptp/keeper/calls.hpp"
#include "protocols/pptp/table.hpp"
#include "services/drain/keeper/drain.hpp"

namespace vpnha::keepers {

namespace {

PppKeeper::Settings ppp_of(const Settings& settings) {
    return {settings.confirm_wait, settings.redials_per_second, settings.resume_scripts};
}

std::unique_ptr<Keeper> make_l2tp(Gateway& gateway, const Settings& settings) {
    const auto* const table = settings.protocols.get<l2tp::Table>();
    return std::make_unique<L2tpSessions>(
        gateway, (table != nullptr ? *table : l2tp::Table()).hello_interval, ppp_of(settings));
}

std::unique_ptr<Keeper> make_flows(Gateway& gateway, const Settings& settings) {
    return std::make_unique<Flows>(gateway, settings.flows);
}

std::unique_ptr<Keeper> make_ipsec(Gateway& gateway, const Settings& settings) {
    return settings.protocols.get<ipsec::Table>() == nullptr
               ? nullptr
               : std::make_unique<IpsecSas>(gateway, settings.protocols.tunnel_port());
}

std::unique_ptr<Keeper> make_open_requests(Gateway& gateway, const Settings& settings) {
    return settings.protocols.get<ipsec::Table>() == nullptr
               ? nullptr
               : std::make_unique<OpenRequests>(gateway);
}

std::unique_ptr<Keeper> make_pptp(Gateway& gateway, const Settings& settings) {
    return settings.protocols.get<pptp::Table>() == nullptr
               ? nullptr
               : std::make_unique<PptpCalls>(gateway, ppp_of(settings));
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

// SAs come before what runs inside them, addresses and accounts after those who have them.
constexpr std::array<Make, 8> kFamilies{make_ipsec, make_open_requests, make_l2tp,     make_pptp,
                                        make_flows, make_addresses,     make_accounts, make_drain};

}  // namespace

std::span<const Make> families() {
    return kFamilies;
}

}  // namespace vpnha::keepers
