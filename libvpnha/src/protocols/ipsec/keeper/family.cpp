// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/families.hpp"
#include "protocols/ipsec/keeper/ipsec_sas.hpp"
#include "protocols/ipsec/keeper/open_requests.hpp"
#include "protocols/ipsec/table.hpp"

namespace vpnha::ipsec {

namespace {

std::unique_ptr<keepers::Keeper> make_sas(keepers::Gateway& gateway,
                                          const keepers::Settings& settings) {
    const auto* const table = settings.protocols.get<Table>();
    if (table == nullptr) {
        return nullptr;
    }
    const config::Facts tunnels = settings.protocols.tunnels().value_or(config::Facts{});
    return std::make_unique<keepers::IpsecSas>(gateway, tunnels.tunnel_port, tunnels.name_in_esp,
                                               table->virtual_pools, settings.accounts.on);
}

std::unique_ptr<keepers::Keeper> make_open_requests(keepers::Gateway& gateway,
                                                    const keepers::Settings& settings) {
    return settings.protocols.get<Table>() == nullptr
               ? nullptr
               : std::make_unique<keepers::OpenRequests>(gateway);
}

}  // namespace

std::vector<keepers::Family> families() {
    return {{make_sas, true}, {make_open_requests, true}};
}

}  // namespace vpnha::ipsec
