// SPDX-License-Identifier: GPL-2.0-or-later
// LACs begin calls in tunnels that were taken over, whose pppds come up a moment after they start.
#include <algorithm>

#include "protocols/l2tp/work.hpp"
#include "sim/world.hpp"

namespace vpnha::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr unsigned kPercentOfSteps = 30;
constexpr seconds kRepeated{1};
// A LAC gives a call up that it has no answer to.
constexpr seconds kGivenUp{40};

}  // namespace

void World::begin_new_call() {
    if (!plan_.new_calls || !of_new_calls_.chance(kPercentOfSteps)) {
        return;
    }
    const GatewayId gateway{static_cast<std::uint8_t>(1 + of_new_calls_.below(plan_.gateways))};
    const Machine* const machine = holder(gateway);
    if (machine == nullptr) {
        return;
    }
    std::vector<l2tp::TunnelKey> tunnels;
    for (const auto& [key, session] : clients_.sessions()) {
        const bool is_stock = std::ranges::any_of(
            machine->plugins(),
            [&key = key](const auto& each) { return each.second.second == key; });
        if (key.type == wire::RecordType::l2tp_session && session.gateway == gateway &&
            session.alive && !is_stock) {
            tunnels.push_back(l2tp_key(key).tunnel);
        }
    }
    if (tunnels.empty()) {
        return;
    }
    const l2tp::TunnelKey tunnel = tunnels[of_new_calls_.below(tunnels.size())];
    if (const auto bytes = clients_.begin_call(tunnel)) {
        notify(gateway, tunnel, *bytes);
        agenda_.after(kGivenUp, [this, tunnel, number = clients_.last_number()] {
            clients_.give_up_call(tunnel, number);
        });
    }
}

void World::notify(GatewayId gateway, const l2tp::TunnelKey& tunnel, const Bytes& bytes) {
    if (Machine* const machine = holder(gateway)) {
        machine->post([=](node::Node& node, TimePoint now) {
            return node.on_event(gateway, node::TunnelDatagram{tunnel, bytes}, now);
        });
    }
    agenda_.after(kRepeated, [this, gateway, tunnel] {
        if (const auto again = clients_.repeat(tunnel)) {
            notify(gateway, tunnel, *again);
        }
    });
}

void World::on_call_started(Machine& machine, const node::StartCall& started) {
    const l2tp::SessionKey call = started.call;
    agenda_.after(
        between(of_new_calls_, milliseconds(20), milliseconds(400)),
        [this, &machine, gateway = started.gateway, call] {
            if (!machine.has_call(call)) {
                return;
            }
            const auto key =
                machine.gate_open(gateway) ? clients_.connect(gateway, call) : std::nullopt;
            if (!key) {
                return machine.end_call(call);
            }
            ++oracle_.tally().sessions;
            machine.plug_in(next_plugin_++, gateway, *key, clients_.find(*key)->record, "");
        });
}

}  // namespace vpnha::sim
