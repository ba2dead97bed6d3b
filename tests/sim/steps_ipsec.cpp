// SPDX-License-Identifier: GPL-2.0-or-later
// IPsec: the lines between the clients and the node that serves. Only an open gate lets anything
// through.
#include <algorithm>

#include "sim/world.hpp"

namespace vpnha::sim {

void World::pass_ipsec() {
    if (!plan_.ipsec) {
        return;
    }
    if (!faults_over_ && plan_.has(Fault::daemon_killed) && of_ipsec_.chance(2)) {
        const NodeId node{static_cast<std::uint32_t>(1 + of_ipsec_.below(plan_.nodes))};
        story_.notify(node, "charon dies");
        oracle_.on_charon_death(node);
        machines_.at(node)->charon().crash();
    }
    Machine* const serving = holder(kIpsecGateway);
    if (serving == nullptr) {
        return;
    }
    oracle_.check_replays(*serving);
    for (const std::uint32_t spi : ike_clients_.send(serving->charon())) {
        oracle_.on_esp_refused(*serving, spi);
    }
    if (faults_over_) {
        ike_clients_.settle(serving->charon());
    } else {
        ike_clients_.act(serving->charon());
    }
    oracle_.tally().sas = ike_clients_.all().size();
}

void World::on_charon_active(Machine& machine) {
    story_.notify(machine.id(), "charon speaks");
    oracle_.on_charon_active(machine);
}

void World::on_ike_end(Machine& machine, const ipsec::IkeKey& key) {
    oracle_.on_ike_end(machine, key);
    if (machine.gate_open(kIpsecGateway)) {
        ike_clients_.on_end(key);
    }
}

void World::on_child_rekey(Machine& machine, std::uint32_t spi) {
    if (machine.gate_open(kIpsecGateway)) {
        ike_clients_.rekey_child(machine.charon(), spi);
    }
}

void World::on_charon_broken(Machine& machine, const std::string& what) {
    oracle_.on_charon_broken(machine, what);
}

}  // namespace vpnha::sim
