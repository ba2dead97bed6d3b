// SPDX-License-Identifier: GPL-2.0-or-later
// Compares the messages that nodes send to each other with the true state.
#include <algorithm>
#include <array>

#include "sim/later_family.hpp"
#include "sim/oracle.hpp"

namespace vpnha::sim {

namespace {

// The gateway and epoch of what only a node with that epoch may say.
std::optional<std::pair<GatewayId, Epoch>> authority(const wire::Message& message) {
    return std::visit(
        [](const auto& body) -> std::optional<std::pair<GatewayId, Epoch>> {
            // Of a planned move anybody may speak.
            using Body = std::decay_t<decltype(body)>;
            if constexpr (std::is_same_v<Body, wire::Move>) {
                return std::nullopt;
            } else if constexpr (requires {
                                     body.epoch;
                                     body.gateway;
                                 }) {
                return std::pair(body.gateway, body.epoch);
            } else {
                return std::nullopt;
            }
        },
        message);
}

std::string in_words(const wire::Message& message) {
    static constexpr std::array<std::string_view, std::variant_size_v<wire::Message>> kNames{
        "hello",    "set-up",       "claim",   "update",  "digest",    "snapshot request",
        "snapshot", "snapshot end", "confirm", "barrier", "extension", "move"};
    std::string text{kNames[message.index()]};
    if (const auto from = authority(message)) {
        text += fmt::format(" of gateway {} epoch {}", from->first.value, to_string(from->second));
    }
    if (const auto* update = std::get_if<wire::Update>(&message)) {
        text += fmt::format(", {} changes from {}", update->changes.size(), update->base + 1);
    } else if (const auto* confirm = std::get_if<wire::Confirm>(&message)) {
        text += fmt::format(", {} less {} refused", confirm->sequence, confirm->refused.size());
    } else if (const auto* end = std::get_if<wire::SnapshotEnd>(&message)) {
        text += fmt::format(", {} records at {}", end->count, end->sequence);
    } else if (const auto* snapshot = std::get_if<wire::Snapshot>(&message)) {
        text += fmt::format(", {} records", snapshot->records.size());
    } else if (const auto* request = std::get_if<wire::SnapshotRequest>(&message)) {
        text += fmt::format(" of gateway {}, reason {}", request->gateway.value,
                            static_cast<int>(request->reason));
    }
    return text;
}

}  // namespace

void Oracle::before_message(const Machine& machine, NodeId sender, ByteView bytes) {
    untouched_.clear();
    const auto message = dialects_.parse(bytes);
    if (const auto* hello = message ? std::get_if<wire::Hello>(&*message) : nullptr) {
        notified_[machine.id()][sender] = *hello;
    }
    const auto from = message ? authority(*message) : std::nullopt;
    const node::GatewayNode* gateway = from ? machine.gateway(from->first) : nullptr;
    if (gateway == nullptr || !gateway->cores().attachment.attached() || sender == machine.id()) {
        return;
    }
    const replica::Replica& replica = gateway->cores().replica;
    if (!replica.promoted() && from->second < replica.epoch()) {
        untouched_.push_back({from->first, replica.store().digest(), replica.sequence(),
                              replica.epoch(), replica.level()});
    }
}

void Oracle::check_untouched(const Machine& machine) {
    for (const Untouched& before : std::exchange(untouched_, {})) {
        const replica::Replica& replica = machine.gateway(before.gateway)->cores().replica;
        if (replica.promoted()) {
            continue;
        }
        if (replica.store().digest() != before.digest || replica.sequence() != before.sequence ||
            replica.epoch() != before.epoch || replica.level() != before.level) {
            fail("old-epoch", machine.id(), "a message of an older epoch has changed the replica");
        }
    }
}

void Oracle::on_emitted(const Machine& machine, const Bytes& bytes) {
    ++tally_.messages;
    const auto message = dialects_.parse(bytes);
    if (!message) {
        fail("sequence", machine.id(), "says what nobody can read: " + message.error().detail);
    }
    if (story_.is_notified()) {
        story_.notify(machine.id(), "says {}", in_words(*message));
    }
    if (const auto* hello = std::get_if<wire::Hello>(&*message)) {
        on_hello(machine, *hello);
    } else if (const auto* claim = std::get_if<wire::Claim>(&*message)) {
        on_claim(machine, *claim);
    } else if (const auto* update = std::get_if<wire::Update>(&*message)) {
        on_update(machine, *update);
    } else if (const auto* snapshot = std::get_if<wire::Snapshot>(&*message)) {
        on_snapshot(machine, *snapshot);
    } else if (const auto* confirm = std::get_if<wire::Confirm>(&*message)) {
        on_confirm(machine, *confirm);
    } else if (const auto* digest = std::get_if<wire::Digest>(&*message)) {
        note_state(machine, digest->gateway, digest->epoch, digest->sequence, digest->count,
                   digest->digest);
    } else if (const auto* end = std::get_if<wire::SnapshotEnd>(&*message)) {
        note_state(machine, end->gateway, end->epoch, end->sequence, end->count, end->digest);
    } else if (std::holds_alternative<wire::SnapshotRequest>(*message)) {
        ++tally_.resyncs;
    }
}

void Oracle::on_claim(const Machine& machine, const wire::Claim& claim) {
    ++tally_.claims;
    story_.notify(machine.id(), "claims epoch {} of gateway {}", to_string(claim.epoch),
                  claim.gateway.value);
    for (const auto& [peer, hello] : machine.node()->peers()) {
        // A machine that stood still with its clock takes its lease for valid for one lease more
        // (docs/explain/failure-model.md); its claim is refused by all.
        if (machine.just_thawed()) {
            break;
        }
        const node::GatewayNode* gateway = machines_.at(peer)->gateway(claim.gateway);
        const bool received = std::any_of(
            hello.gateways.begin(), hello.gateways.end(),
            [&](const wire::GatewayState& state) { return state.gateway == claim.gateway; });
        if (plan_.fencing == Fencing::all && received && peer != machine.id() &&
            gateway != nullptr && gateway->cores().attachment.attached() &&
            gateway->cores().replica.epoch() >= claim.epoch) {
            fail("epochs", machine.id(),
                 fmt::format("claims {}, node {} follows {}", to_string(claim.epoch), peer.value,
                             to_string(gateway->cores().replica.epoch())));
        }
    }
    // A holder that claims anew, while another one serves under a newer epoch than it had.
    Epoch& last = last_claims_[{machine.id(), claim.gateway}];
    const bool stands_in = standing_in_.erase({claim.gateway, machine.id()}) != 0;
    const bool anew =
        machine.gateway(claim.gateway)->view().state() == takeover::State::promoted && !stands_in;
    for (const NodeId member : machine.node()->members()) {
        const node::GatewayNode* other = machines_.at(member)->gateway(claim.gateway);
        if (anew && member != machine.id() && totem_.ring_of(member).contains(machine.id()) &&
            other != nullptr && other->cores().replica.promoted() &&
            other->cores().replica.epoch() > last) {
            fail("epochs", machine.id(),
                 fmt::format("had {}, claims anew and deposes node {} with {}", to_string(last),
                             member.value, to_string(other->cores().replica.epoch())));
        }
    }
    last = claim.epoch;
    if (machine.disk(claim.gateway) < claim.epoch) {
        fail("epochs", machine.id(),
             fmt::format("claims {}, its disk has {}", to_string(claim.epoch),
                         to_string(machine.disk(claim.gateway))));
    }
    if (!machine.node()->quorate()) {
        fail("epochs", machine.id(), "claims without quorum");
    }
    if (!emitted_.try_emplace({claim.gateway, claim.epoch}).second) {
        fail("epochs", machine.id(), fmt::format("claims {} once more", to_string(claim.epoch)));
    }
    note_state(machine, claim.gateway, claim.epoch, 0, claim.count, claim.digest);
    if (stands_in) {
        check_stand_in(machine, claim.gateway);
    }
    // While this node waited for its grant, a draining holder may have ended some.
    if (const auto takeover = takeovers_.find(claim.gateway);
        takeover != takeovers_.end() && takeover->second.node == machine.id()) {
        const replica::Store& store = machine.gateway(claim.gateway)->cores().replica.store();
        std::erase_if(takeover->second.expected,
                      [&store](const wire::RecordKey& key) { return store.find(key) == nullptr; });
        forget_ended_flows(machine, claim.gateway);
        check_flows_kept(machine, claim.gateway);
        check_expectations_kept(machine, claim.gateway);
        // Whose lease lapses in the promotion claims once more: what ended since ended in service.
        takeover->second.flows.clear();
        takeover->second.expectations.clear();
    }
}

void Oracle::on_update(const Machine& machine, const wire::Update& update) {
    const auto found = emitted_.find({update.gateway, update.epoch});
    if (found == emitted_.end() || update.epoch.node != machine.id()) {
        fail("sequence", machine.id(),
             fmt::format("says changes of epoch {}, which it has not claimed",
                         to_string(update.epoch)));
    }
    std::vector<Emitted>& emitted = found->second;
    if (update.base != emitted.size()) {
        fail("sequence", machine.id(),
             fmt::format("continues at {}/{} after {}", to_string(update.epoch), update.base,
                         emitted.size()));
    }
    for (const wire::Change& change : update.changes) {
        if (change.erased && change.key.type == kLaterType && !machine.knows_later_records()) {
            fail("unknown", machine.id(), "erases a record of a type that it does not know");
        }
        emitted.push_back({change.key, change.erased, change.payload});
    }
}

void Oracle::on_snapshot(const Machine& machine, const wire::Snapshot& snapshot) {
    for (const wire::SnapshotRecord& record : snapshot.records) {
        const auto found = emitted_.find({snapshot.gateway, record.version.epoch});
        const std::uint64_t sequence = record.version.sequence;
        if (found == emitted_.end() || sequence == 0) {
            fail("sequence", machine.id(),
                 fmt::format("a snapshot has {}/{}, which nobody can have said",
                             to_string(record.version.epoch), sequence));
        }
        // What a holder had not said when its epoch ended has numbers behind all that it said.
        const Emitted& emitted =
            sequence <= found->second.size()
                ? found->second[sequence - 1]
                : unsent_
                      .try_emplace({snapshot.gateway, record.version},
                                   Emitted{record.key, record.erased, record.payload})
                      .first->second;
        if (emitted.key != record.key || emitted.erased != record.erased ||
            emitted.payload != record.payload) {
            fail("sequence", machine.id(),
                 fmt::format("a snapshot says something else of {}/{} than was said",
                             to_string(record.version.epoch), sequence));
        }
    }
}

void Oracle::on_confirm(const Machine& machine, const wire::Confirm& confirm) const {
    const node::GatewayNode& gateway = *machine.gateway(confirm.gateway);
    const replica::Replica& replica = gateway.cores().replica;
    if (replica.level() != wire::Level::complete) {
        fail("confirm", machine.id(), "confirms, and is not complete");
    }
    for (const wire::RecordType type : kSessionTypes) {
        check_confirmed(machine, confirm, type);
    }
    check_sas_confirmed(machine, confirm);
}

void Oracle::check_confirmed(const Machine& machine, const wire::Confirm& confirm,
                             wire::RecordType type) const {
    for (const auto& [key, stored] :
         machine.gateway(confirm.gateway)->cores().replica.store().all(type)) {
        const bool refused = std::find(confirm.refused.begin(), confirm.refused.end(),
                                       stored.version) != confirm.refused.end();
        const bool covered =
            stored.version.epoch < confirm.epoch ||
            (stored.version.epoch == confirm.epoch && stored.version.sequence <= confirm.sequence);
        if (refused || !covered || machine.kernel().is_unreceived({confirm.gateway, key})) {
            continue;
        }
        if (!machine.kernel().has({confirm.gateway, key}, stored.payload.copy())) {
            fail("confirm", machine.id(),
                 fmt::format("confirms {}/{}, and its kernel misses {} of {}/{}, hold {}",
                             to_string(confirm.epoch), confirm.sequence, name_of(key),
                             to_string(stored.version.epoch), stored.version.sequence,
                             static_cast<int>(stored.hold)));
        }
    }
}

}  // namespace vpnha::sim
