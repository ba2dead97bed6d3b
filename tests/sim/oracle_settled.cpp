// SPDX-License-Identifier: GPL-2.0-or-later
// The end of a run: the faults are over for minutes, so nothing may be left of them.
#include <algorithm>

#include "sim/oracle.hpp"

namespace vpnha::sim {

namespace {

// In the quiet time of 30 s: a digest each 10 s. What sessions end or retry adds a few.
constexpr std::uint64_t kQuietMessagesPerGateway = 12;

}  // namespace

Tally& Tally::operator+=(const Tally& other) {
    events += other.events;
    messages += other.messages;
    claims += other.claims;
    promotions += other.promotions;
    sessions += other.sessions;
    protected_sessions += other.protected_sessions;
    kept += other.kept;
    lost += other.lost;
    silences += other.silences;
    resyncs += other.resyncs;
    given_away += other.given_away;
    stand_ins += other.stand_ins;
    stand_ins_notified += other.stand_ins_notified;
    flows_kept += other.flows_kept;
    flows_equal += other.flows_equal;
    expectations_kept += other.expectations_kept;
    expectations_equal += other.expectations_equal;
    numbers += other.numbers;
    margins_exact += other.margins_exact;
    margins_bounded += other.margins_bounded;
    margins_unknown += other.margins_unknown;
    silent_twice += other.silent_twice;
    call_packets += other.call_packets;
    peers_tried += other.peers_tried;
    sas += other.sas;
    sas_kept += other.sas_kept;
    stops += other.stops;
    stops_again += other.stops_again;
    return *this;
}

void Oracle::check_settled(std::uint64_t messages_while_quiet) {
    compare_all();
    for (std::uint8_t number = 1; number <= plan_.gateways; ++number) {
        const GatewayId id{number};
        const Machine* holder = nullptr;
        for (const auto& [node, machine] : machines_) {
            const node::GatewayNode* gateway = machine->gateway(id);
            if (gateway == nullptr || !gateway->cores().attachment.attached()) {
                fail("settled", node, fmt::format("gateway {} is not attached", number));
            }
            if (gateway->view().state() == takeover::State::promoted) {
                if (holder != nullptr) {
                    fail("settled", node, "two nodes serve one gateway");
                }
                holder = machine.get();
            }
        }
        if (holder == nullptr) {
            fail("settled", NodeId{}, fmt::format("nobody serves gateway {}", number));
        }
        if (holder->gateway(id)->view().stands_in()) {
            fail("settled", holder->id(), "stands in, and Pacemaker has not promoted it");
        }
        check_holder_settled(*holder, *holder->gateway(id));
        check_holder_flows(*holder, *holder->gateway(id));
        check_holder_expectations(*holder, *holder->gateway(id));
        if (plan_.wireguard && plan_.accounts) {
            check_peers_accounts(*holder, *holder->gateway(id));
        }
        if (plan_.ipsec && id == kIpsecGateway) {
            check_sas_settled(*holder);
            if (plan_.accounts) {
                check_ike_accounts(*holder, *holder->gateway(id));
            }
        }
        for (const auto& [node, machine] : machines_) {
            if (machine.get() != holder) {
                check_standby_settled(*holder, *machine, *machine->gateway(id));
                tally_.flows_equal += check_standby_flows(*holder, *machine, *machine->gateway(id));
                tally_.expectations_equal +=
                    check_standby_expectations(*holder, *machine, *machine->gateway(id));
            }
        }
    }
    // A call asks its client each 25 s, and the numbers of that are said twice; a server takes an
    // Interim of each session; a peer of WireGuard makes new keys.
    const bool asks = plan_.calls_percent > 0 || plan_.accounts;
    const std::size_t calls = asks ? clients_.sessions().size() : 0;
    const std::size_t peers = plan_.wireguard ? plan_.gateways * PeerDevices::kPeers : 0;
    const std::size_t ikes = plan_.ipsec && plan_.accounts ? ike_clients_.living_count() : 0;
    if (messages_while_quiet >
        plan_.gateways * kQuietMessagesPerGateway + 6 * (calls + peers + ikes)) {
        fail("settled", NodeId{},
             fmt::format("{} messages while nothing happens", messages_while_quiet));
    }
}

void Oracle::check_holder_settled(const Machine& holder, const node::GatewayNode& gateway) const {
    const GatewayId id = gateway.cores().settings.id;
    // Accepted: the clock of each gateway may be on its way to the group, every 10 s (seed
    // 620000607).
    const bool has_backlog = holder.waiting() > plan_.gateways;
    if (!holder.gate_open(id) || !gateway.cores().replica.promoted() ||
        gateway.cores().replica.dirty() != 0 || has_backlog) {
        fail("settled", holder.id(),
             fmt::format("serves, but not fully: gate {}, promoted {}, dirty {}, waiting {}",
                         holder.gate_open(id), gateway.cores().replica.promoted(),
                         gateway.cores().replica.dirty(), holder.waiting()));
    }
    if (!gateway.cores().replica.store().tombstones().empty()) {
        fail("settled", holder.id(), "keeps tombstones for ever");
    }
    const lease::Voters& voters = gateway.cores().lease.engine().state().voters;
    if (voters.next || voters.current.nodes.size() != plan_.nodes) {
        fail("settled", holder.id(), "has other voters than its corosync.conf");
    }
    for (const keepers::SessionView& view : gateway.cores().keepers.sessions()) {
        const wire::RecordKey& key = view.record;
        if (std::ranges::find(kSessionTypes, key.type) == kSessionTypes.end()) {
            // check_sas_settled() has those of IPsec. Nothing refuses one of echo.
            if (key.type == wire::RecordType::echo_session &&
                view.state != keepers::SessionState::protected_) {
                fail("settled", holder.id(),
                     fmt::format("a session of {} is not protected", view.protocol));
            }
            continue;
        }
        const Session* session = clients_.find(key);
        // Of a stock session its own daemon notices.
        const bool stock =
            std::any_of(holder.plugins().begin(), holder.plugins().end(),
                        [&](const auto& plugin) { return plugin.second.second == key; });
        const replica::StoredRecord* const stored =
            gateway.cores().replica.store().find(view.record);
        const Bytes payload = stored == nullptr ? Bytes{} : stored->payload.copy();
        if (!stock && !clients_.can_be_there(key, payload)) {
            fail("settled", holder.id(),
                 "continues with a session that its client has ended: " + name_of(key));
        }
        if (!stock && session != nullptr && !session->resumable) {
            fail("settled", holder.id(),
                 "continues with a session that ends with its node: " + name_of(key));
        }
        if (session != nullptr && session->resumable && !session->refused &&
            view.state != keepers::SessionState::protected_ &&
            view.state != keepers::SessionState::resumed) {
            fail("settled", holder.id(),
                 fmt::format("{} is not protected: {}", name_of(key), view.reason));
        }
    }
    if (plan_.has(Fault::step_fails)) {
        return;  // Stock daemons that could not be ended carry sessions that nobody knows of.
    }
    for (const auto& [plugin, key] : holder.plugins()) {
        const Session* session = clients_.find(key.second);
        if (key.first == id && session != nullptr && session->resumable && session->alive &&
            gateway.cores().replica.store().find(key.second) == nullptr) {
            fail("settled", holder.id(),
                 "does not replicate a stock session: " + name_of(key.second));
        }
    }
}

void Oracle::check_standby_settled(const Machine& holder, const Machine& standby,
                                   const node::GatewayNode& gateway) const {
    const GatewayId id = gateway.cores().settings.id;
    const replica::Replica& here = gateway.cores().replica;
    const replica::Replica& there = holder.gateway(id)->cores().replica;
    if (here.level() != wire::Level::complete || here.epoch() != there.epoch() ||
        here.sequence() != there.sequence() || here.store().digest() != there.store().digest() ||
        here.holder() != holder.id()) {
        fail("settled", standby.id(),
             fmt::format("gateway {}: {} at {}/{}, the holder at {}/{}", id.value,
                         here.level() == wire::Level::complete ? "complete" : "not complete",
                         to_string(here.epoch()), here.sequence(), to_string(there.epoch()),
                         there.sequence()));
    }
    if (standby.gate_open(id) || !here.store().tombstones().empty() || here.installing() != 0) {
        fail("settled", standby.id(), "an open gate, tombstones or installations are left");
    }
    const int score = here.quarantined() == 0 ? node::kScoreComplete : node::kScorePartial;
    const int first = plan_.stand_in && here.quarantined() == 0 ? node::kScoreFirstToStandIn : 0;
    if (standby.score(id) != score && standby.score(id) != score + first) {
        fail("settled", standby.id(),
             fmt::format("has score {} instead of {}", standby.score(id).value_or(-1), score));
    }
    std::set<wire::RecordKey> held;
    for (const wire::RecordType type : kSessionTypes) {
        for (const auto& [key, stored] : here.store().all(type)) {
            if (!is_readable(key, stored.payload)) {
                continue;
            }
            held.insert(key);
            if (!clients_.find(key)->refused && !standby.kernel().has({id, key})) {
                fail("settled", standby.id(), "its kernel misses " + name_of(key));
            }
        }
    }
    for (const auto& [key, payload] : standby.kernel().sessions()) {
        if (key.first == id && !held.contains(key.second)) {
            fail("settled", standby.id(), "its kernel still has " + name_of(key.second));
        }
    }
}

}  // namespace vpnha::sim
