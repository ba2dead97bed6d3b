// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/families.hpp"
#include "protocols/wireguard/keeper/peers.hpp"
#include "protocols/wireguard/table.hpp"

namespace vpnha::wireguard {

namespace {

std::unique_ptr<keepers::Keeper> make(keepers::Gateway& gateway,
                                      const keepers::Settings& settings) {
    return settings.protocols.get<Table>() == nullptr
               ? nullptr
               : std::make_unique<keepers::WireguardPeers>(gateway);
}

}  // namespace

std::vector<keepers::Family> families() {
    return {{make}};
}

}  // namespace vpnha::wireguard
