// SPDX-License-Identifier: GPL-2.0-or-later
#include "keepers/keeper.hpp"

#include <fmt/format.h>

namespace vpnha::keepers {

void set_aside(Gateway& gateway, const replica::Install& wanted, const std::string& why,
               TimePoint now, Effects& effects) {
    // Identical bytes must never bring down all nodes at once: this one record is set aside.
    gateway.replica().on_installed(wanted.key, wanted.ticket, replica::Outcome::unreadable, now);
    effects.emplace_back(node::Log{
        node::Level::error, fmt::format("record set aside event=quarantined {} record={}: {}",
                                        gateway.tag(), to_hex(wanted.key.id.view()), why)});
}

}  // namespace vpnha::keepers
