// SPDX-License-Identifier: GPL-2.0-or-later
// That a gateway is served when it could be, and that a disk which takes nothing is noticed before
// it is needed.
#include <algorithm>
#include <utility>

#include "cluster/lease/voters.hpp"
#include "sim/oracle.hpp"

namespace vpnha::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// By a clock of its own, which may be slow by 9 %.
constexpr Duration kSilenceMax = milliseconds(3300);
// A holder serves on for so long after it was demoted.
constexpr Duration kOrderLasts = milliseconds(2500);
// A look at the disk each minute.
constexpr Duration kDiskSeen = seconds(70);

std::pair<Epoch, std::uint64_t> position_of(const node::GatewayNode& gateway) {
    return {gateway.cores().replica.epoch(), gateway.cores().replica.sequence()};
}

bool is_complete(const node::GatewayNode* gateway) {
    return gateway != nullptr && gateway->cores().attachment.attached() &&
           gateway->cores().replica.level() == wire::Level::complete;
}

// Accepted: a voter that was late with messages for 20 s measures the clocks of others as slow, and
// grants them nothing for up to half a minute more (docs/explain/failure-model.md, "What the lease
// assumes about clocks", seeds 535529494 and 535529670).
bool takes_for_astray(const node::GatewayNode* voter, NodeId node) {
    return voter != nullptr &&
           lease::is_in(voter->cores().lease.engine().voter().state().astray, node);
}

}  // namespace

void Oracle::on_order(const Machine& machine, GatewayId gateway) {
    if (machine.gate_open(gateway)) {
        ordered_at_[gateway] = agenda_.now();
    }
}

bool Oracle::is_in_reach(const Machine& machine, const Machine& other) const {
    return other.is_sound() && receives_(machine.id(), other.id()) &&
           receives_(other.id(), machine.id()) && !totem_.is_paused(other.id()) &&
           totem_.ring_of(machine.id()).contains(other.id()) &&
           totem_.ring_of(other.id()).contains(machine.id());
}

// Its lease has lapsed, Pacemaker still has it promoted, and a majority of the voters would answer
// it, with a ring or without.
bool Oracle::could_continue(const Machine& machine, GatewayId id) const {
    const node::GatewayNode* const gateway = machine.gateway(id);
    if (gateway == nullptr || !machine.is_sound() || gateway->cores().attachment.leaving() ||
        gateway->view().state() != takeover::State::promoted) {
        return false;
    }
    const lease::Engine::State& lease = gateway->cores().lease.engine().state();
    if (!lease.wanted || !lease.lapsed || lease.fenced) {
        return false;
    }
    std::size_t voters = 1;
    for (const auto& [node, other] : machines_) {
        const node::GatewayNode* const there = other->gateway(id);
        if (there != nullptr && there->cores().lease.engine().voter().granted() >
                                    gateway->cores().lease.engine().holder().epoch()) {
            return false;
        }
        const bool misses =
            (totem_.is_quorate(node) && !totem_.ring_of(node).contains(machine.id())) ||
            takes_for_astray(there, machine.id());
        voters += node != machine.id() && other->is_sound() && receives_(machine.id(), node) &&
                          receives_(node, machine.id()) && !totem_.is_paused(node) && !misses
                      ? 1
                      : 0;
    }
    return 2 * voters > plan_.nodes;
}

// A complete standby that is not behind, with a majority of the voters in reach.
bool Oracle::could_serve(const Machine& machine, GatewayId id) const {
    const node::GatewayNode* const gateway = machine.gateway(id);
    if (!machine.is_sound() || totem_.is_paused(machine.id()) || !is_complete(gateway) ||
        gateway->cores().attachment.leaving() ||
        gateway->view().state() != takeover::State::standby ||
        gateway->view().standing() != wire::Level::complete ||
        gateway->view().links().lost_for_coming() > 0 ||
        gateway->cores().lease.engine().state().fenced ||
        gateway->cores().lease.engine().state().alone || !totem_.is_quorate(machine.id()) ||
        gateway->cores().lease.engine().voter().state().own_astray) {
        return false;
    }
    std::size_t voters = 1;
    for (const auto& [node, other] : machines_) {
        if (node == machine.id() || !is_in_reach(machine, *other)) {
            continue;
        }
        const node::GatewayNode* const there = other->gateway(id);
        const bool is_ahead = there != nullptr && position_of(*there) > position_of(*gateway);
        if (is_ahead && is_complete(there)) {
            return false;
        }
        // Accepted: a voter that knows of a later epoch answers "behind", complete or not
        // (docs/explain/failure-model.md, seed 533257691). The standby waits for Pacemaker.
        voters += is_ahead || takes_for_astray(there, machine.id()) ? 0 : 1;
    }
    return 2 * voters > plan_.nodes;
}

void Oracle::check_silence() {
    for (std::uint8_t number = 1; number <= plan_.gateways; ++number) {
        const GatewayId id{number};
        const bool is_served =
            std::any_of(machines_.begin(), machines_.end(), [&](const auto& each) {
                const node::GatewayNode* const gateway = each.second->gateway(id);
                // A step of its promotion takes its time.
                const bool begins = plan_.has(Fault::step_lasts) && gateway != nullptr &&
                                    gateway->cores().lease.engine().holder().serving();
                return each.second->powered() && !each.second->paused() &&
                       (each.second->gate_open(id) || begins);
            });
        if (is_served) {
            silences_.erase(id);
            continue;
        }
        const auto [silence, is_new] = silences_.try_emplace(id);
        if (is_new) {
            const auto ordered = ordered_at_.find(id);
            silence->second.ordered =
                ordered != ordered_at_.end() && agenda_.now() < ordered->second + kOrderLasts;
        }
        // Pacemaker's will, which it was told to carry out elsewhere
        // (docs/explain/failure-model.md, "The role is stopped or demoted").
        if (silence->second.ordered) {
            continue;
        }
        // Another node that Pacemaker has ordered to serve has 2 s to be granted the lease, whether
        // it can be or not (docs/explain/takeover.md, "A promotion without a lease").
        const bool is_ordered_elsewhere =
            std::any_of(machines_.begin(), machines_.end(), [&](const auto& each) {
                const node::GatewayNode* const gateway = each.second->gateway(id);
                return gateway != nullptr &&
                       gateway->view().state() == takeover::State::taking_over;
            });
        const Duration glance = agenda_.now() - std::exchange(silence->second.seen, agenda_.now());
        for (auto& [node, since] : silence->second.could_serve) {
            since += is_ordered_elsewhere && !is_new ? glance : Duration{};
        }
        for (const auto& [node, machine] : machines_) {
            std::map<NodeId, TimePoint>& since = silence->second.could_serve;
            if (!could_serve(*machine, id) && !could_continue(*machine, id)) {
                since.erase(node);
                continue;
            }
            tally_.silences += since.empty() ? 1 : 0;
            const auto begun = since.try_emplace(node, agenda_.now()).first;
            if (agenda_.now() > begun->second + kSilenceMax) {
                fail("silent", node,
                     fmt::format("could serve gateway {}, and nobody has for long", number));
            }
        }
    }
    for (const auto& [node, machine] : machines_) {
        const std::optional<TimePoint> full = machine->disk_full_since();
        // Accepted: a slow machine looks as late as its queue is long, half a minute in seed
        // 400020107, whose node has twice as many events as it can handle. So does a paused one.
        const bool is_late = plan_.has(Fault::pause) || plan_.has(Fault::slow);
        const bool is_long = full && !is_late && machine->node() != nullptr &&
                             agenda_.now() > std::max(*full, machine->started_at()) + kDiskSeen;
        for (std::uint8_t number = 1; is_long && number <= plan_.gateways; ++number) {
            if (machine->gateway(GatewayId{number})->cores().lease.saves().work()) {
                fail("disk", node, "counts on a disk that takes nothing");
            }
        }
    }
}

}  // namespace vpnha::sim
