// SPDX-License-Identifier: GPL-2.0-or-later
// What a holder reports as protected.
#include <algorithm>

#include "sim/oracle.hpp"

namespace vpnha::sim {

namespace {

// Resumed here, or stock.
bool is_there(const Machine& machine, const Kernel::Key& key) {
    return machine.kernel().has(key) ||
           std::any_of(machine.plugins().begin(), machine.plugins().end(),
                       [&key](const auto& plugin) { return plugin.second == key; });
}

}  // namespace

void Oracle::check_promises(const Machine& machine, const node::GatewayNode& gateway) {
    for (const wire::RecordType type : kSessionTypes) {
        check_promises_of(machine, gateway, type);
    }
    check_sa_promises(machine, gateway);
}

void Oracle::check_promises_of(const Machine& machine, const node::GatewayNode& gateway,
                               wire::RecordType type) {
    const GatewayId id = gateway.cores().settings.id;
    const replica::Replica& replica = gateway.cores().replica;
    for (const auto& [key, stored] : replica.store().all(type)) {
        if (const Session* its = clients_.find(key); its != nullptr && !its->resumable) {
            continue;  // It is reported as unprotected.
        }
        const Kernel::Key place{id, key};
        const auto promise = promises_.find(place);
        if (!replica.is_protected(key)) {
            if (promise != promises_.end() && promise->second.holder == machine.id()) {
                promises_.erase(promise);
            }
            continue;
        }
        if (!machine.node()->quorate()) {
            fail("protected", machine.id(), "reports sessions as protected without quorum");
        }
        if (promise != promises_.end() && promise->second.payload == stored.payload &&
            promise->second.holder == machine.id() &&
            promise->second.process == machine.process()) {
            continue;
        }
        if (!is_there(machine, place)) {
            continue;  // Its kernel lost it while its lease had lapsed: it says so when it claims.
        }
        if (!was_installed_elsewhere(machine, place, stored.payload.copy())) {
            fail("protected", machine.id(),
                 fmt::format("reports {} as protected, and no other kernel ever had it",
                             name_of(key)));
        }
        ++tally_.protected_sessions;
        promises_[place] = {machine.id(), machine.process(), stored.payload.copy()};
    }
}

bool Oracle::was_installed_elsewhere(const Machine& machine, const Kernel::Key& key,
                                     const Bytes& payload) const {
    return std::any_of(machines_.begin(), machines_.end(), [&](const auto& each) {
        return each.first != machine.id() && each.second->kernel().had(key, payload);
    });
}

}  // namespace vpnha::sim
