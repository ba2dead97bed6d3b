// SPDX-License-Identifier: GPL-2.0-or-later
// A promoted node that the lease's answers do not reach is told of.
#include <fmt/format.h>

#include <algorithm>

#include "sim/oracle.hpp"

namespace vpnha::sim {

namespace {

using std::chrono::seconds;

// A promise, a claim's patience, and what a hello takes. Well before the node gives its role away
// by itself.
constexpr Duration kUnreceivedMax = seconds(3);

}  // namespace

void Oracle::on_withdrawn(const Machine& machine, const effects::WithdrawScore& score) {
    const replica::Replica& replica = machine.gateway(score.gateway)->cores().replica;
    // The score of a standby whose vpnhad has died says nothing of the holder.
    if (replica.holder() && score.node == fmt::format("gw{}", replica.holder()->value)) {
        notified_of_.insert({score.gateway, replica.epoch()});
    }
}

void Oracle::check_unreceived(const Machine& machine, const node::GatewayNode& gateway) {
    const GatewayId id = gateway.cores().settings.id;
    if (!is_answered_in_vain(machine, gateway) ||
        notified_of_.contains({id, gateway.cores().replica.epoch()})) {
        if (const auto since = in_vain_since_.find(id);
            since != in_vain_since_.end() && since->second.first == machine.id()) {
            in_vain_since_.erase(since);
        }
        return;
    }
    const auto since = in_vain_since_.try_emplace(id, machine.id(), agenda_.now()).first;
    if (since->second.first != machine.id()) {
        since->second = {machine.id(), agenda_.now()};
    }
    if (agenda_.now() > since->second.second + kUnreceivedMax) {
        fail("unheard", machine.id(), "all others answer its claims, and nobody tells Pacemaker");
    }
}

// Nothing but the lease's datagrams is late or lost, and all are there.
bool Oracle::is_answered_in_vain(const Machine& machine, const node::GatewayNode& gateway) const {
    const bool others_late = plan_.has(Fault::slow) || plan_.has(Fault::flow_control) ||
                             plan_.has(Fault::disk_full) || plan_.has(Fault::voters);
    if (others_late || plan_.nodes < 3 || gateway.view().state() != takeover::State::promoted ||
        gateway.cores().lease.engine().holder().phase() != lease::Phase::claiming ||
        totem_.ring_of(machine.id()).size() != plan_.nodes || !totem_.is_working(machine.id())) {
        return false;
    }
    const Epoch& served = gateway.cores().replica.epoch();
    return std::all_of(machines_.begin(), machines_.end(), [&](const auto& each) {
        const node::GatewayNode* other = each.second->gateway(gateway.cores().settings.id);
        if (each.first == machine.id()) {
            return true;
        }
        if (other == nullptr || !other->cores().attachment.attached() ||
            other->cores().replica.epoch() != served ||
            other->cores().replica.holder() != machine.id()) {
            return false;
        }
        const lease::Voter::Promise& promise =
            other->cores().lease.engine().voter().state().promise;
        return promise.epoch.node == machine.id() && promise.epoch > served && !promise.released;
    });
}

}  // namespace vpnha::sim
