// SPDX-License-Identifier: GPL-2.0-or-later
// What holds after every step. oracle_emitted.cpp checks the messages, oracle_settled.cpp the end
// of a run.
#include "sim/oracle.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "protocols/l2tp/work.hpp"

namespace vpnha::sim {

namespace {

// Flows that came and went again while the group took nothing: they stay queued until their turn.
constexpr std::size_t kFlowsGoneMax = 1000;

bool is_silent(const node::GatewayNode& gateway) {
    return gateway.view().state() == takeover::State::standby ||
           (gateway.view().state() == takeover::State::standing_in &&
            !gateway.cores().replica.promoted());
}

}  // namespace

Oracle::Oracle(const Agenda& agenda, Story& story, const Plan& plan, const Machines& machines,
               const Totem& totem, const Clients& clients, Callers& callers,
               const IkeClients& ike_clients, std::function<bool(NodeId, NodeId)> receives)
    : agenda_(agenda),
      story_(story),
      plan_(plan),
      machines_(machines),
      totem_(totem),
      clients_(clients),
      callers_(callers),
      ike_clients_(ike_clients),
      receives_(std::move(receives)),
      codecs_(later_codecs()),
      dialects_(codecs_) {}

void Oracle::fail(const std::string& invariant, NodeId node, const std::string& what) const {
    story_.notify(node, "BROKEN {}: {}", invariant, what);
    throw Failure(invariant, fmt::format("node {}: {}", node.value, what));
}

void Oracle::on_effects(const Machine& machine, const effects::Effects& effects, bool silenced) {
    std::size_t messages = 0;
    for (const effects::Effect& effect : effects) {
        if (const auto* sent = std::get_if<effects::SendToGroup>(&effect)) {
            ++messages;
            const auto message = dialects_.parse(sent->message);
            if (silenced && message && !std::holds_alternative<wire::Claim>(*message) &&
                !std::holds_alternative<wire::Barrier>(*message)) {
                fail("silence", machine.id(), "speaks while the group takes nothing");
            }
        }
    }
    // A claim, updates and chunks on their way, their ends, a digest, a confirmation, a request for
    // each gateway; a hello and set-ups.
    const std::size_t bound = plan_.gateways * 16U + 2;
    if (messages > bound) {
        fail("limits", machine.id(), fmt::format("says {} messages at once", messages));
    }
}

void Oracle::on_effect(const Machine& machine, const effects::Effect& effect) {
    if (const auto* sent = std::get_if<effects::SendToGroup>(&effect)) {
        on_emitted(machine, sent->message);
    } else if (const auto* step = std::get_if<effects::RunStep>(&effect)) {
        on_step(machine, *step);
    } else if (const auto* save = std::get_if<effects::SaveLease>(&effect)) {
        on_save(machine, *save);
    } else if (const auto* sent_lease = std::get_if<effects::SendLease>(&effect)) {
        on_lease(machine, *sent_lease);
    } else if (const auto* score = std::get_if<effects::WriteScore>(&effect)) {
        const node::GatewayNode& gateway = *machine.gateway(score->gateway);
        const std::optional<int> before = machine.score(score->gateway);
        const auto reason = gateway.cores().replica.resync_reason();
        const bool is_behind =
            before > score->score &&
            (reason == wire::ResyncReason::missed_claim || reason == wire::ResyncReason::gap);
        // To pacemaker-attrd the same value is no change (worth/score.hpp).
        if (before && before != score->score && gateway.cores().replica.epoch().number != 0 &&
            !gateway.cores().replica.holder() && !is_behind) {
            fail("frozen", machine.id(), "writes a score while nobody serves");
        }
    } else if (const auto* withdrawn = std::get_if<effects::WithdrawScore>(&effect)) {
        on_withdrawn(machine, *withdrawn);
    } else if (const auto* datagram = effects::find<node::SendDatagram>(effect)) {
        if (is_silent(*machine.gateway(datagram->gateway))) {
            fail("silence", machine.id(), "a standby sends a datagram");
        }
    } else if (const auto* frame = effects::find<node::SendFrame>(effect)) {
        if (is_silent(*machine.gateway(frame->gateway))) {
            fail("silence", machine.id(), "a standby sends a frame");
        }
    }
}

// The first claim of a promotion.
void Oracle::on_save(const Machine& machine, const effects::SaveLease& save) {
    const auto takeover = takeovers_.find(save.gateway);
    const bool begun = takeover != takeovers_.end() && takeover->second.node == machine.id();
    const node::GatewayNode& gateway = *machine.gateway(save.gateway);
    if (gateway.view().state() == takeover::State::taking_over &&
        !gateway.cores().replica.promoted() && save.durable.claimed.node == machine.id() &&
        !begun) {
        begin_takeover(machine, save.gateway);
    }
}

void Oracle::on_lease(const Machine& machine, const effects::SendLease& sent) const {
    const auto* round = std::get_if<lease::Round>(&sent.message);
    const auto* answer = std::get_if<lease::Answer>(&sent.message);
    const Epoch emitted = round != nullptr    ? round->id.epoch
                          : answer != nullptr ? answer->id.epoch
                                              : Epoch{};
    if (machine.disk(sent.gateway) < emitted) {
        fail("epochs", machine.id(),
             fmt::format("says epoch {} to node {}, its disk has {}", to_string(emitted),
                         sent.to.value, to_string(machine.disk(sent.gateway))));
    }
}

void Oracle::on_step(const Machine& machine, const effects::RunStep& step) {
    const node::GatewayNode& gateway = *machine.gateway(step.gateway);
    if (step.step == takeover::Step::open_gate) {
        const bool stands_in = gateway.view().state() == takeover::State::standing_in;
        if (stands_in) {
            ++tally_.stand_ins;
            standing_in_.insert({step.gateway, machine.id()});
        }
        if (gateway.cores().replica.promoted() == stands_in ||
            gateway.cores().replica.epoch() > step.epoch) {
            fail("old-epoch", machine.id(),
                 fmt::format("opens its gate under epoch {} in {}", to_string(step.epoch),
                             to_string(gateway.cores().replica.epoch())));
        }
        if (machine.disk(step.gateway) < step.epoch) {
            fail("epochs", machine.id(), "opens its gate under an epoch that its disk forgets");
        }
    }
}

// By the node's state: a promotion that waited for voters was answered long before its end.
void Oracle::follow_takeover(const Machine& machine, const node::GatewayNode& gateway) {
    const auto takeover = takeovers_.find(gateway.cores().settings.id);
    if (gateway.view().state() != takeover::State::standing_in) {
        standing_in_.erase({gateway.cores().settings.id, machine.id()});
    }
    if (takeover == takeovers_.end() || takeover->second.node != machine.id() ||
        gateway.view().state() == takeover::State::taking_over) {
        return;
    }
    if (gateway.view().state() == takeover::State::promoted) {
        end_takeover(machine, gateway);
    }
    takeovers_.erase(takeover);
}

// What the next holder has in its kernel when its promotion begins has to be there at its end.
void Oracle::begin_takeover(const Machine& machine, GatewayId gateway) {
    Takeover takeover{machine.id(), {}, {}, {}, {}};
    const replica::Replica& replica = machine.gateway(gateway)->cores().replica;
    for (const auto& [key, promise] : promises_) {
        const Session* session = clients_.find(key.second);
        if (key.first != gateway || session == nullptr || !session->alive) {
            continue;
        }
        const wire::RecordKey& record = key.second;
        // What its own kernel refuses it has told of: a lower score, and the session is ended with
        // a word to its client (docs/explain/failure-model.md, "could not install a session").
        if (replica.store().find(record) == nullptr && is_elsewhere(machine, key) &&
            !lost_in_kernel_.contains({machine.id(), key})) {
            takeover.elsewhere.insert(key.second);
        }
        if (machine.kernel().has(key, promise.payload)) {
            takeover.expected.insert(key.second);
        } else if (replica.store().find(record) == nullptr &&
                   replica.level() == wire::Level::complete && !others_miss(machine, key)) {
            fail("lost", machine.id(),
                 fmt::format("a complete replica misses the protected session {}",
                             name_of(key.second)));
        }
    }
    takeovers_[gateway] = std::move(takeover);
    expect_sas(machine, gateway);
    expect_flows(machine, gateway);
    expect_expectations(machine, gateway);
}

// Whatever it holds back of the old epoch from here on is lost.
void Oracle::check_stand_in(const Machine& machine, GatewayId gateway) {
    ++tally_.stand_ins_notified;
    const replica::Store& store = machine.gateway(gateway)->cores().replica.store();
    for (const auto& [key, promise] : promises_) {
        const Session* session = clients_.find(key.second);
        const wire::RecordKey& record = key.second;
        if (key.first != gateway || session == nullptr || !session->alive ||
            store.find(record) != nullptr) {
            continue;
        }
        // Somebody removed it while this node served, and its kernel would not take it again.
        if (lost_in_kernel_.contains({machine.id(), key})) {
            continue;
        }
        for (const NodeId node : totem_.ring_of(machine.id())) {
            const node::GatewayNode* other = machines_.at(node)->gateway(gateway);
            if (node != machine.id() && node != promise.holder && other != nullptr &&
                other->cores().attachment.attached() &&
                other->cores().replica.level() == wire::Level::complete &&
                other->cores().replica.store().find(record) != nullptr &&
                machines_.at(node)->kernel().has(key, promise.payload)) {
                fail("lost", machine.id(),
                     fmt::format("stands in without the protected session {}, which node {} has",
                                 name_of(key.second), node.value));
            }
        }
    }
    begin_takeover(machine, gateway);
}

bool Oracle::is_elsewhere(const Machine& machine, const Kernel::Key& key) const {
    const std::set<NodeId> ring = totem_.ring_of(machine.id());
    return std::any_of(ring.begin(), ring.end(), [&](NodeId node) {
        return node != machine.id() && has_as_new(node, machine, key);
    });
}

bool Oracle::has_as_new(NodeId node, const Machine& machine, const Kernel::Key& key) const {
    const replica::Replica& mine = machine.gateway(key.first)->cores().replica;
    const node::GatewayNode* const gateway = machines_.at(node)->gateway(key.first);
    if (gateway == nullptr || !gateway->cores().attachment.attached() ||
        gateway->cores().replica.level() != wire::Level::complete) {
        return false;
    }
    const replica::Replica& other = gateway->cores().replica;
    const bool is_older =
        std::pair(other.epoch(), other.sequence()) < std::pair(mine.epoch(), mine.sequence());
    return !(is_older && mine.level() == wire::Level::complete) &&
           machines_.at(node)->kernel().has(key, promises_.at(key).payload);
}

// Nobody in reach has it as it was reported, at least as new as what `machine` knows.
bool Oracle::others_miss(const Machine& machine, const Kernel::Key& key) const {
    const replica::Replica& mine = machine.gateway(key.first)->cores().replica;
    const std::set<NodeId> ring = totem_.ring_of(machine.id());
    return std::none_of(ring.begin(), ring.end(), [&](NodeId node) {
        const node::GatewayNode* gateway = machines_.at(node)->gateway(key.first);
        return node != machine.id() && gateway != nullptr &&
               gateway->cores().attachment.attached() &&
               gateway->cores().replica.level() == wire::Level::complete &&
               gateway->cores().replica.epoch() == mine.epoch() &&
               gateway->cores().replica.sequence() == mine.sequence() &&
               machines_.at(node)->kernel().has(key, promises_.at(key).payload);
    });
}

void Oracle::end_takeover(const Machine& machine, const node::GatewayNode& gateway) {
    const GatewayId id = gateway.cores().settings.id;
    std::set<wire::RecordKey> resumed;
    for (const keepers::SessionView& view : gateway.cores().keepers.sessions()) {
        if (view.state != keepers::SessionState::quarantined &&
            view.state != keepers::SessionState::hot) {
            resumed.insert(view.record);
        }
    }
    for (const wire::RecordKey& key : takeovers_.at(id).expected) {
        const Session* session = clients_.find(key);
        // A change by the draining holder, said while this node waited for its grant, may be
        // refused.
        if (session == nullptr || !session->alive || machine.kernel().is_refused({id, key})) {
            continue;
        }
        if (!resumed.contains(key) || !machine.kernel().has({id, key})) {
            fail("lost", machine.id(),
                 fmt::format("did not resume the protected session {} that its kernel had",
                             name_of(key)));
        }
        ++tally_.kept;
    }
    ++tally_.promotions;
    std::erase_if(promises_, [&](const auto& each) {
        const auto& [key, promise] = each;
        if (key.first != id) {
            return false;
        }
        const Session* session = clients_.find(key.second);
        if (session != nullptr && session->alive && !resumed.contains(key.second)) {
            // The replica has it by now, and this node's kernel refused it: the log names the
            // session, and the score was lowered for it (docs/man/vpnha.8, "quarantined").
            if (takeovers_.at(id).elsewhere.contains(key.second) &&
                !machine.kernel().is_refused(key)) {
                fail("lost", machine.id(),
                     fmt::format("was promoted without the protected session {}, which a complete "
                                 "replica in reach had",
                                 name_of(key.second)));
            }
            ++tally_.lost;
        }
        return true;
    });
}

void Oracle::on_settled(const Machine& machine, bool of_lease) {
    ++tally_.events;
    check_untouched(machine);
    check_silenced(machine);
    if (machine.node() == nullptr) {
        return;
    }
    // What was said at once, and what the node said before it was told to be silent.
    // For each lease that lapses while Corosync hangs a claim waits: 20 s, one in 300 ms.
    const unsigned claims = plan_.has(Fault::corosync_hangs) ? 67 : 0;
    if (machine.waiting() > plan_.gateways * (20U + claims) + 8) {
        fail("limits", machine.id(), fmt::format("{} messages wait", machine.waiting()));
    }
    for (const auto& [id, gateway] : machine.node()->gateways()) {
        if (gateway.cores().attachment.attached()) {
            check_gateway(machine, gateway, of_lease);
        }
    }
    if (clients_.reused()) {
        if (plan_.fencing == Fencing::all) {
            fail("ns-reused", machine.id(), *clients_.reused());
        }
    }
}

void Oracle::check_gateway(const Machine& machine, const node::GatewayNode& gateway,
                           bool of_lease) {
    follow_takeover(machine, gateway);
    const replica::Replica& replica = gateway.cores().replica;
    const GatewayId id = gateway.cores().settings.id;
    const std::size_t records = replica.store().records().size();
    const std::size_t gone = plan_.flows ? kFlowsGoneMax : 0;
    if (replica.dirty() > 2 * (records + replica.store().tombstones().size()) + 16 + gone ||
        replica.installing() > records ||
        replica.store().tombstones().size() > limits::kTombstonesMax) {
        fail("limits", machine.id(),
             fmt::format("{} dirty, {} installing, {} tombstones, {} records", replica.dirty(),
                         replica.installing(), replica.store().tombstones().size(), records));
    }
    if (replica.promoted() || replica.level() == wire::Level::complete) {
        note_state(machine, id, replica.epoch(), replica.sequence(), replica.store().count(),
                   replica.store().digest());
    }
    if (replica.holder() && *replica.holder() != replica.epoch().node) {
        fail("old-epoch", machine.id(),
             fmt::format("takes node {} for the holder of epoch {}", replica.holder()->value,
                         to_string(replica.epoch())));
    }
    check_gates(machine, gateway);
    check_links(machine, gateway);
    check_level(machine, gateway);
    check_unreceived(machine, gateway);
    check_peers(machine, gateway);
    if (replica.promoted() && !of_lease) {  // Rounds are most of all events; no record changes.
        check_promises(machine, gateway);
    }
}

// As far as it has been told. While the group takes nothing it asks for nothing, either.
void Oracle::check_level(const Machine& machine, const node::GatewayNode& gateway) const {
    const replica::Replica& replica = gateway.cores().replica;
    if (replica.promoted() || replica.holder() || replica.level() != wire::Level::complete ||
        machine.silenced() || gateway.cores().attachment.leaving() ||
        !machine.node()->members().contains(machine.id())) {
        return;
    }
    for (const auto& [node, state] : replica.peers()) {
        if (state.level == wire::Level::complete && state.epoch > replica.epoch()) {
            fail("lost", machine.id(),
                 fmt::format("is complete in {}, and node {} in {}", to_string(replica.epoch()),
                             node.value, to_string(state.epoch)));
        }
    }
}

void Oracle::check_gates(const Machine& machine, const node::GatewayNode& gateway) const {
    const GatewayId id = gateway.cores().settings.id;
    if (!machine.gate_open(id)) {
        return;
    }
    if (gateway.view().state() == takeover::State::standby && !plan_.has(Fault::step_fails)) {
        fail("old-epoch", machine.id(), "a standby has its gate open");
    }
    if (gateway.view().state() == takeover::State::promoted &&
        !gateway.cores().replica.promoted()) {
        fail("old-epoch", machine.id(), "serves without an epoch of its own");
    }
    for (const auto& [node, other] : machines_) {
        if (node != machine.id() && other->powered() && other->gate_open(id) && !other->paused() &&
            !other->just_thawed() && !machine.just_thawed()) {
            fail("one-gate", machine.id(), fmt::format("node {} has it open too", node.value));
        }
    }
}

void Oracle::note_state(const Machine& machine, GatewayId gateway, const Epoch& epoch,
                        std::uint64_t sequence, std::uint32_t count, std::uint64_t digest) {
    const auto [state, is_new] =
        states_.try_emplace({gateway, epoch, sequence}, std::pair(count, digest));
    if (!is_new && state->second != std::pair(count, digest)) {
        fail("equal", machine.id(),
             fmt::format("gateway {} at {}/{} has {} records, digest {:x}; before there were {}, "
                         "{:x}",
                         gateway.value, to_string(epoch), sequence, count, digest,
                         state->second.first, state->second.second));
    }
}

void Oracle::on_silenced(const Machine& machine, GatewayId gateway) {
    silenced_.insert({gateway, machine.id()});
}

void Oracle::check_silenced(const Machine& machine) {
    std::erase_if(silenced_, [&](const auto& each) {
        const auto& [id, node] = each;
        if (node != machine.id()) {
            return false;
        }
        const node::GatewayNode* const here = machine.gateway(id);
        if (here != nullptr && here->view().state() != takeover::State::draining &&
            machine.gate_open(id)) {
            fail("one-gate", node, "is reported to be demoted, and serves");
        }
        return true;
    });
}

void Oracle::on_death(NodeId node) {
    on_charon_death(node);
    std::erase_if(takeovers_, [&](const auto& each) { return each.second.node == node; });
    std::erase_if(standing_in_, [&](const auto& each) { return each.second == node; });
    std::erase_if(silenced_, [&](const auto& each) { return each.second == node; });
}

void Oracle::on_kernel_loss(const Machine& machine, const Kernel::Key& key) {
    promises_.erase(key);
    lost_in_kernel_.insert({machine.id(), key});
    const auto takeover = takeovers_.find(key.first);
    if (takeover != takeovers_.end()) {
        takeover->second.expected.erase(key.second);
    }
}

void Oracle::compare_all() const {
    for (const auto& [id, machine] : machines_) {
        for (std::uint8_t gateway = 1; gateway <= plan_.gateways; ++gateway) {
            check_versions(*machine, GatewayId{gateway});
        }
        for (const auto& [other_id, other] : machines_) {
            for (std::uint8_t gateway = 1; id < other_id && gateway <= plan_.gateways; ++gateway) {
                compare(*machine, *other, GatewayId{gateway});
            }
        }
    }
}

void Oracle::check_versions(const Machine& machine, GatewayId gateway) const {
    const node::GatewayNode* here = machine.gateway(gateway);
    if (here == nullptr) {
        return;
    }
    std::set<wire::Version> seen;
    for (const auto& [key, stored] : here->cores().replica.store().records()) {
        if (!stored.dirty &&
            (stored.version.sequence == 0 || !seen.insert(stored.version).second)) {
            fail("sequence", machine.id(),
                 fmt::format("holds two records, or one that nobody said, as {}/{}",
                             to_string(stored.version.epoch), stored.version.sequence));
        }
    }
}

void Oracle::compare(const Machine& a, const Machine& b, GatewayId gateway) const {
    const auto ready = [&](const Machine& machine) {
        const node::GatewayNode* here = machine.gateway(gateway);
        return here != nullptr && here->cores().attachment.attached() &&
               here->cores().replica.level() == wire::Level::complete &&
               here->cores().replica.dirty() == 0;
    };
    if (!ready(a) || !ready(b)) {
        return;
    }
    const replica::Replica& left = a.gateway(gateway)->cores().replica;
    const replica::Replica& right = b.gateway(gateway)->cores().replica;
    if (left.epoch() != right.epoch() || left.sequence() != right.sequence()) {
        return;
    }
    const auto same = [](const auto& x, const auto& y) {
        return x.first == y.first && x.second.version == y.second.version &&
               x.second.payload == y.second.payload;
    };
    if (!std::equal(left.store().records().begin(), left.store().records().end(),
                    right.store().records().begin(), right.store().records().end(), same)) {
        fail("equal", a.id(),
             fmt::format("holds other records than node {}, both complete at {}/{}", b.id().value,
                         to_string(left.epoch()), left.sequence()));
    }
}

}  // namespace vpnha::sim
