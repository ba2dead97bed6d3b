// SPDX-License-Identifier: GPL-2.0-or-later
// WireGuard: who shakes hands with the peers, and how soon.
#include "sim/oracle.hpp"

namespace vpnha::sim {

namespace {

// The handshakes begin with the opening of the gate; a new peer waits for the kernel's answer.
constexpr Duration kTriedWithin = std::chrono::seconds(1);
// Accepted: whoever opens the gate may take so long to say that it is open
// (machine_effects.cpp, seed 900000027).
constexpr Duration kStepLastsMax = std::chrono::seconds(3);

}  // namespace

void Oracle::on_peer_tried(const Machine& machine, GatewayId id) {
    ++tally_.peers_tried;
    const node::GatewayNode* const gateway = machine.gateway(id);
    if (gateway == nullptr || gateway->view().state() == takeover::State::standby) {
        fail("peers", machine.id(), "shakes hands, and is a standby");
    }
}

void Oracle::check_peers(const Machine& machine, const node::GatewayNode& gateway) {
    const GatewayId id = gateway.cores().settings.id;
    const std::pair who(machine.id(), id);
    if (!gateway.view().serves() || !machine.gate_open(id) || !machine.is_sound()) {
        peers_since_.erase(who);
        return;
    }
    const TimePoint since = peers_since_.emplace(who, agenda_.now()).first->second;
    const Duration within =
        kTriedWithin + (plan_.has(Fault::step_lasts) ? kStepLastsMax : Duration{});
    if (agenda_.now() > since + within && machine.peers().untried(id) != 0) {
        fail("peers", machine.id(),
             fmt::format("serves, and has not shaken hands with {} peers",
                         machine.peers().untried(id)));
    }
}

}  // namespace vpnha::sim
