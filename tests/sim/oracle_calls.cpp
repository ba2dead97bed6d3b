// SPDX-License-Identifier: GPL-2.0-or-later
// PPTP: the numbers of each call, whoever sends them.
#include "sim/oracle.hpp"

namespace vpnha::sim {

void Oracle::on_call_packet(const Machine& machine, const pptp::CallKey& key,
                            const CallPacket& packet) {
    ++tally_.call_packets;
    Caller& caller = callers_.at(key);
    if (packet.index && !caller.indexes.insert(*packet.index).second) {
        fail("calls", machine.id(),
             fmt::format("encrypts once more with index {} of {}", *packet.index,
                         pptp::to_string(key)));
    }
    const Result<pptp::GrePacket> gre = pptp::parse_gre(packet.gre);
    if (packet.is_data && callers_.lives(key) &&
        pptp::ahead_of(*gre->sequence, caller.client.last()) <= 0) {
        fail("calls", machine.id(),
             fmt::format("sends data of {} under number {}, and its client has had {}",
                         pptp::to_string(key), *gre->sequence, caller.client.last()));
    }
}

void Oracle::on_call_over(const Machine& machine, const pptp::CallKey& key, const CallOver& over) {
    const wire::RecordKey record = node::record_key_of(key);
    const Session* const session = clients_.find(record);
    // begin_takeover() has the reason. A call that this node has not prepared was never confirmed
    // by it; its client is told, and dials again.
    const Kernel::Key here{session->gateway, record};
    const bool is_refused = machine.kernel().is_refused(here);
    if (session->alive && session->resumable && !over.is_meant && !is_refused &&
        machine.kernel().has(here)) {
        fail("lost", machine.id(),
             fmt::format("ends the call {} of a client that lives: {}", pptp::to_string(key),
                         over.reason));
    }
}

}  // namespace vpnha::sim
