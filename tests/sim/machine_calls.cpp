// SPDX-License-Identifier: GPL-2.0-or-later
// A machine's PPTP calls and WireGuard peers: what vpnhad orders of them, and what comes of it.
#include "sim/machine.hpp"

namespace vpnha::sim {

CallPath::Ports Machine::call_ports() {
    return {.now = [this] { return local_now(); },
            .in_world = [this](Duration local) { return in_world(local); },
            .post = [this](Call call) { post(std::move(call)); },
            .send = [this](const CallSent& sent) { world_.on_call_sent(*this, sent); },
            .gone =
                [this](GatewayId gateway, const pptp::CallKey& key) {
                    kernel_.remove({gateway, node::record_key_of(key)});
                }};
}

PeerDevices::Ports Machine::peer_ports() {
    return {
        .gate_open = [this](GatewayId gateway) { return gate_open(gateway); },
        .post = [this](Call call) { post(std::move(call)); },
        .later = [this](Duration delay,
                        std::function<void()> event) { agenda_.after(delay, std::move(event)); },
        .tried = [this](GatewayId gateway) { world_.on_peer_tried(*this, gateway); }};
}

effects::Effects Machine::execute(const node::PptpWork& work) {
    std::visit([this](const auto& each) { carry_out(each); }, work);
    return {};
}

template <class Work>
void Machine::carry_out(const Work& work) {
    calls_.execute(work);
}

void Machine::carry_out(const node::PrepareCall& prepare) {
    kernel_.queue(prepare);
    schedule_install();
}

void Machine::carry_out(const node::SetCallNumbers& set) {
    for (const pptp::CallState& state : set.calls) {
        kernel_.renumber({set.gateway, node::record_key_of(state.key)}, state.numbers);
    }
    calls_.execute(set);
}

void Machine::carry_out(const node::RemoveCall& remove) {
    kernel_.remove({remove.gateway, node::record_key_of(remove.key)});
    calls_.execute(remove);
}

effects::KeeperEvent Machine::installed(const node::InstallSession& wanted,
                                        const Result<void>& result) {
    return node::SessionInstalled{wanted.record.key, wanted.ticket, result};
}

effects::KeeperEvent Machine::installed(const node::PrepareCall& wanted,
                                        const Result<void>& result) {
    return node::CallPrepared{wanted.record.key, wanted.ticket, result};
}

}  // namespace vpnha::sim
