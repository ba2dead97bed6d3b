// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/families.hpp"
#include "protocols/pptp/keeper/calls.hpp"
#include "protocols/pptp/table.hpp"

namespace vpnha::pptp {

namespace {

std::unique_ptr<keepers::Keeper> make(keepers::Gateway& gateway,
                                      const keepers::Settings& settings) {
    return settings.protocols.get<Table>() == nullptr
               ? nullptr
               : std::make_unique<keepers::PptpCalls>(gateway,
                                                      keepers::PppKeeper::settings_of(settings));
}

}  // namespace

std::vector<keepers::Family> families() {
    return {{make}};
}

}  // namespace vpnha::pptp
