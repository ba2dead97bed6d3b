// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/families.hpp"
#include "protocols/l2tp/keeper/sessions.hpp"
#include "protocols/l2tp/table.hpp"

namespace vpnha::l2tp {

namespace {

std::unique_ptr<keepers::Keeper> make(keepers::Gateway& gateway,
                                      const keepers::Settings& settings) {
    const Table* const table = settings.protocols.get<Table>();
    return std::make_unique<keepers::L2tpSessions>(
        gateway, (table != nullptr ? *table : Table()).hello_interval,
        settings.addresses.pool.empty(), keepers::PppKeeper::settings_of(settings));
}

}  // namespace

std::vector<keepers::Family> families() {
    return {{make}};
}

}  // namespace vpnha::l2tp
