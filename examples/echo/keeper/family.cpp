// SPDX-License-Identifier: GPL-2.0-or-later
#include "echo/keeper/echo_sessions.hpp"
#include "echo/table.hpp"
#include "protocols/families.hpp"

namespace vpnha::echo {

namespace {

std::unique_ptr<keepers::Keeper> make(keepers::Gateway& gateway,
                                      const keepers::Settings& settings) {
    return settings.protocols.get<Table>() == nullptr ? nullptr
                                                      : std::make_unique<EchoSessions>(gateway);
}

}  // namespace

std::vector<keepers::Family> families() {
    return {{make}};
}

}  // namespace vpnha::echo
