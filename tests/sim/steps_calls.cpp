// SPDX-License-Identifier: GPL-2.0-or-later
// PPTP: the lines between nodes and clients. Only an open gate lets anything through.
#include <algorithm>

#include "sim/world.hpp"

namespace vpnha::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A node that resumes a call makes all its keys: a run would take too long.
constexpr std::uint64_t kIndexMax = 5000;

}  // namespace

wire::RecordKey World::dial_any(GatewayId gateway, bool poison, bool refused, bool resumable) {
    return plan_.calls_percent > 0 && of_calls_.chance(plan_.calls_percent)
               ? callers_.dial(gateway, poison, refused, resumable)
               : clients_.dial(gateway, poison, refused, resumable);
}

void World::on_call_sent(Machine& machine, const CallSent& sent) {
    const bool passes = machine.gate_open(sent.gateway) && !machine.just_thawed();
    const pptp::CallKey& key = sent.key;
    if (const auto* const over = std::get_if<CallOver>(&sent.what)) {
        oracle_.on_call_over(machine, key, *over);
        story_.notify(machine.id(), "its call {} is over{}: {}", pptp::to_string(key),
                      passes ? ", and its client knows" : "", over->reason);
        if (passes) {
            clients_.hang_up(node::record_key_of(key));
        }
        return;
    }
    if (!passes) {
        return;
    }
    if (const auto* const packet = std::get_if<CallPacket>(&sent.what)) {
        oracle_.on_call_packet(machine, key, *packet);
        if (!packet->is_lost) {
            answer(machine, sent.gateway, key, callers_.on_gre(key, packet->gre, agenda_.now()));
        }
    } else if (const auto* const probe = std::get_if<pptp::ProbeSegment>(&sent.what)) {
        answer(machine, sent.gateway, key, callers_.on_probe(key, *probe));
    } else if (!callers_.lives(key)) {
        answer(machine, sent.gateway, key, CallReset{});
    } else if (Bytes reply = callers_.on_control(key, std::get<Bytes>(sent.what)); !reply.empty()) {
        answer(machine, sent.gateway, key, std::move(reply));
    }
}

void World::answer(Machine& machine, GatewayId gateway, const pptp::CallKey& key,
                   std::vector<FromCaller> packets) {
    for (FromCaller& packet : packets) {
        answer(machine, gateway, key, CallReceived(std::move(packet)));
    }
}

void World::answer(Machine& machine, GatewayId gateway, const pptp::CallKey& key,
                   CallReceived received) {
    agenda_.after(between(of_calls_, milliseconds(1), milliseconds(20)),
                  [this, &machine, gateway, key, received = std::move(received)] {
                      if (machine.gate_open(gateway) && !machine.paused()) {
                          machine.calls().handle(key, received);
                      }
                  });
}

// Both ways, of all calls.
void World::pass_calls() {
    for (std::uint8_t number = 1; plan_.calls_percent > 0 && number <= plan_.gateways; ++number) {
        if (Machine* const serving = holder(GatewayId{number})) {
            serving->calls().pass(GatewayId{number});
        }
    }
    for (const auto& [record, session] : clients_.sessions()) {
        const auto key = call_key(record);
        Machine* const serving = key && session.alive ? holder(session.gateway) : nullptr;
        if (serving != nullptr && !faults_over_ && callers_.at(*key).indexes.size() > kIndexMax) {
            end_session(record, session);
        } else if (serving != nullptr && of_calls_.chance(30)) {
            answer(*serving, session.gateway, *key, callers_.talk(*key, agenda_.now()));
        }
    }
}

void World::beat() {
    if (!clients_are_quiet_) {
        pass_calls();
        pass_ipsec();
        agenda_.after(faults_over_ ? seconds(10) : seconds(1), [this] { beat(); });
    }
}

}  // namespace vpnha::sim
