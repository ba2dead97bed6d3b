// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/pacemaker.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace vpnha::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::array<std::string_view, 4> kActions{"attach", "promote", "demote", "detach"};
// More than any step lasts.
constexpr Duration kOperationTimeout = seconds(60);
// Before power has its turn.
constexpr Duration kMarkPatience = seconds(4);
// As an agent asks again.
constexpr Duration kBusy = milliseconds(20);
// Of all looks at the cluster; each 90 ms on average.
constexpr unsigned kMonitorPercent = 4;
constexpr int kInfinity = 1'000'000;

bool is_serving(const node::GatewayNode* gateway) {
    return gateway != nullptr && gateway->view().state() != takeover::State::standby &&
           gateway->view().state() != takeover::State::draining;
}

}  // namespace

bool Pacemaker::serves(GatewayId gateway, NodeId node) const {
    const Machine& machine = *machines_.at(node);
    if (!plan_.stand_in) {
        return is_serving(machine.gateway(gateway));
    }
    const auto promoted = promoted_.find({gateway, node});
    return machine.gateway(gateway) != nullptr &&
           ((promoted != promoted_.end() && promoted->second == machine.process()) ||
            pending(Action::promote, gateway, node));
}

bool Pacemaker::has_failed(GatewayId gateway, NodeId node) {
    const node::GatewayNode* here = machines_.at(node)->gateway(gateway);
    const auto promoted = promoted_.find({gateway, node});
    const bool remembered =
        promoted != promoted_.end() && promoted->second == machines_.at(node)->process();
    if (!plan_.stand_in || here == nullptr) {
        return remembered && here != nullptr && !is_serving(here);
    }
    if (failed_.erase({gateway, node}) != 0) {
        return true;
    }
    // A monitor, which a node that stands still does not answer.
    return !machines_.at(node)->paused() && random_.chance(kMonitorPercent) &&
           here->cores().attachment.attached() && !here->cores().attachment.leaving() &&
           here->view().is_promoted() != remembered;
}

Pacemaker::Pacemaker(Agenda& agenda, test::Random& random, Story& story, const Plan& plan,
                     const Totem& totem, Machines& machines, Act fence, Act recover, Order on_order)
    : agenda_(agenda),
      random_(random),
      story_(story),
      plan_(plan),
      totem_(totem),
      machines_(machines),
      fence_(std::move(fence)),
      recover_(std::move(recover)),
      on_order_(std::move(on_order)),
      of_fencing_(plan.seed * 0x9e3779b97f4a7c15 + 11) {}

void Pacemaker::start() {
    tick();
}

void Pacemaker::tick() {
    drop_operations();
    for (const auto& [node, machine] : machines_) {
        if (totem_.is_working(node) && totem_.is_quorate(node)) {
            look(totem_.ring_of(node));
            break;
        }
    }
    agenda_.after(between(random_, milliseconds(30), milliseconds(150)), [this] { tick(); });
}

void Pacemaker::look(const std::set<NodeId>& ring) {
    for (const NodeId node : online_) {
        if (ring.contains(node) || lost_.contains(node)) {
            continue;
        }
        bool served = false;
        for (std::uint8_t gateway = 1; gateway <= plan_.gateways; ++gateway) {
            served = served || serves(GatewayId{gateway}, node);
        }
        const bool off = plan_.fencing == Fencing::all || plan_.fencing == Fencing::marks ||
                         (plan_.fencing == Fencing::holders && served);
        lost_[node] = {agenda_.now() + between(random_, milliseconds(100), milliseconds(1500)),
                       off};
        story_.notify("pacemaker: node {} is lost", node.value);
    }
    online_.insert(ring.begin(), ring.end());
    for (const NodeId node : ring) {
        lost_.erase(node);
        if (machines_.at(node)->node() == nullptr) {
            machines_.at(node)->shut_gates();  // The agent's stop.
        }
    }
    fence_lost();
    for (std::uint8_t gateway = 1; gateway <= plan_.gateways; ++gateway) {
        manage(GatewayId{gateway}, ring);
    }
}

void Pacemaker::fence_lost() {
    for (const NodeId node : std::exchange(condemned_, {})) {
        story_.notify("pacemaker: node {} is switched off", node.value);
        fence_(node);
    }
    for (auto lost = lost_.begin(); lost != lost_.end();) {
        if (agenda_.now() < lost->second.at) {
            ++lost;
            continue;
        }
        if (fencing_fails(lost->first, lost->second)) {
            ++lost;
            continue;
        }
        if (plan_.fencing == Fencing::marks && !lost->second.marks) {
            lost->second.marks = ask_for_marks(lost->first);
            lost->second.at = agenda_.now() + (lost->second.marks ? kMarkPatience : Duration{});
            if (lost->second.marks) {
                ++lost;
                continue;
            }
        }
        if (lost->second.off) {
            story_.notify("pacemaker: node {} is switched off", lost->first.value);
            fence_(lost->first);
        }
        online_.erase(lost->first);
        lost = lost_.erase(lost);
    }
}

bool Pacemaker::fencing_fails(NodeId node, Lost& lost) {
    if (!plan_.has(Fault::fencing_fails) || calm_ || !lost.off || lost.delayed) {
        return false;
    }
    const bool fails = of_fencing_.chance(40);
    lost.delayed = !fails;
    if (!fails && of_fencing_.chance(30)) {
        return false;
    }
    story_.notify("pacemaker: fencing node {} {}", node.value, fails ? "fails" : "takes 12 s");
    lost.at = agenda_.now() + (fails ? seconds(5) : seconds(12));
    return true;
}

std::optional<RequestToken> Pacemaker::ask_for_marks(NodeId victim) {
    for (const auto& [node, machine] : machines_) {
        if (node == victim || machine->node() == nullptr || machine->paused() ||
            !totem_.is_working(node) || !totem_.is_quorate(node)) {
            continue;
        }
        const RequestToken token = next_++;
        story_.notify("pacemaker: node {} is to fence node {} by marks", node.value, victim.value);
        machine->post([token, victim](node::Node& vpnhad, TimePoint now) {
            return vpnhad.fence(token, victim, kMarkPatience / 2, now);
        });
        return token;
    }
    return std::nullopt;
}

bool Pacemaker::on_fenced(const effects::AnswerRequest& answer) {
    const auto lost = std::find_if(lost_.begin(), lost_.end(), [&](const auto& each) {
        return each.second.marks == answer.request;
    });
    if (lost == lost_.end()) {
        return false;
    }
    story_.notify("pacemaker: node {} is fenced by marks: {}", lost->first.value,
                  answer.result ? "yes" : answer.result.error().detail);
    if (answer.result) {
        online_.erase(lost->first);
        lost_.erase(lost);
    } else {
        lost->second.at = agenda_.now();  // Power has its turn.
    }
    return true;
}

void Pacemaker::drop_operations() {
    std::vector<NodeId> stuck;
    std::erase_if(operations_, [&](const auto& each) {
        const Operation& operation = each.second;
        const bool gone = machines_.at(operation.node)->process() != operation.process ||
                          (operation.answered && totem_.is_idle(operation.node) &&
                           machines_.at(operation.node)->waiting() == 0);
        if (!gone && !operation.answered && agenda_.now() >= operation.until) {
            stuck.push_back(operation.node);
        }
        return gone || agenda_.now() >= operation.until;
    });
    for (const NodeId node : stuck) {
        story_.notify("pacemaker: an operation on node {} takes too long", node.value);
        recover_(node);
    }
}

bool Pacemaker::may_serve(NodeId node) const {
    return machines_.at(node)->node() != nullptr && !standby_.contains(node);
}

void Pacemaker::manage(GatewayId gateway, const std::set<NodeId>& ring) {
    for (const NodeId node : ring) {
        const node::GatewayNode* here = machines_.at(node)->gateway(gateway);
        if (here == nullptr) {
            continue;
        }
        const bool is_started =
            here->cores().attachment.attached() && !here->cores().attachment.leaving();
        const bool may_start = !here->cores().attachment.attached() ||
                               (here->cores().attachment.leaving() && here->view().may_return());
        if (may_serve(node) && may_start && !pending(Action::attach, gateway, node)) {
            order(Action::attach, gateway, node);
        } else if (!may_serve(node) && is_started && !serves(gateway, node) && !busy(gateway)) {
            order(Action::detach, gateway, node);
        }
    }
    if (busy(gateway) || end_surplus(gateway, ring)) {
        return;
    }
    // What may still run on a lost node is not started elsewhere.
    if (plan_.fencing == Fencing::all || plan_.fencing == Fencing::marks
            ? !lost_.empty()
            : std::any_of(lost_.begin(), lost_.end(), [](const auto& l) { return l.second.off; })) {
        return;
    }
    const bool served =
        std::any_of(ring.begin(), ring.end(), [&](NodeId node) { return serves(gateway, node); });
    if (served) {
        move_to_better(gateway, ring);
    } else {
        promote_best(gateway, ring);
    }
}

// Demotes whoever should not be promoted: on a standby node, one of two after a bad day, and what
// was told to promote and is not promoted.
bool Pacemaker::end_surplus(GatewayId gateway, const std::set<NodeId>& ring) {
    std::optional<NodeId> keep;
    for (const NodeId node : ring) {
        if (!serves(gateway, node)) {
            continue;
        }
        const node::GatewayNode* here = machines_.at(node)->gateway(gateway);
        const node::GatewayNode* other = keep ? machines_.at(*keep)->gateway(gateway) : nullptr;
        if (other == nullptr || here->cores().replica.epoch() > other->cores().replica.epoch()) {
            keep = node;
        }
    }
    for (const NodeId node : ring) {
        const node::GatewayNode* here = machines_.at(node)->gateway(gateway);
        if (has_failed(gateway, node)) {
            order(Action::demote, gateway, node);
            return true;
        }
        if (serves(gateway, node) && here->view().state() != takeover::State::releasing &&
            (node != keep || !may_serve(node))) {
            order(Action::demote, gateway, node);
            return true;
        }
    }
    return false;
}

std::optional<int> Pacemaker::score_of(GatewayId gateway, NodeId node) const {
    const std::optional<int> own = machines_.at(node)->score(gateway);
    const auto preferred = preferred_.find(gateway);
    const bool is_preferred = preferred != preferred_.end() && preferred->second == node;
    return is_preferred ? own.value_or(0) + kInfinity : own;
}

void Pacemaker::prefer(GatewayId gateway, std::optional<NodeId> node) {
    preferred_.erase(gateway);
    if (node) {
        story_.notify("pacemaker: gateway {} is to be at node {}", gateway.value, node->value);
        preferred_[gateway] = *node;
    }
}

void Pacemaker::end_faults() {
    standby_.clear();
    preferred_.clear();
    calm_ = true;
}

std::vector<NodeId> Pacemaker::best_of(GatewayId gateway, const std::set<NodeId>& ring,
                                       int least) const {
    std::vector<NodeId> best;
    int best_score = least;
    for (const NodeId node : ring) {
        const Machine& machine = *machines_.at(node);
        const node::GatewayNode* here = machine.gateway(gateway);
        const auto avoided = avoided_.find({gateway, node});
        if (!may_serve(node) || here == nullptr || !here->cores().attachment.attached() ||
            here->cores().attachment.leaving() || machine.paused() ||
            (avoided != avoided_.end() && agenda_.now() < avoided->second)) {
            continue;
        }
        const int score = score_of(gateway, node).value_or(0);
        if (score > best_score) {
            best.clear();
            best_score = score;
        }
        if (score > least && score == best_score) {
            best.push_back(node);
        }
    }
    return best;
}

void Pacemaker::move_to_better(GatewayId gateway, const std::set<NodeId>& ring) {
    const std::optional<NodeId> node = promoted(gateway);
    if (!node || !ring.contains(*node)) {
        return;
    }
    const auto score = score_of(gateway, *node);
    if (!score || !best_of(gateway, ring, *score).empty()) {
        order(Action::demote, gateway, *node);
    }
}

void Pacemaker::promote_best(GatewayId gateway, const std::set<NodeId>& ring) {
    const std::vector<NodeId> best = best_of(gateway, ring, 0);
    if (!best.empty()) {
        order(Action::promote, gateway, best[random_.below(best.size())]);
    }
}

void Pacemaker::order(Action action, GatewayId gateway, NodeId node) {
    const RequestToken token = next_++;
    operations_[token] = {action, gateway, node, machines_.at(node)->process(),
                          agenda_.now() + kOperationTimeout};
    story_.notify("pacemaker: {} gateway {} at node {}", kActions[static_cast<std::size_t>(action)],
                  gateway.value, node.value);
    agenda_.after(between(random_, milliseconds(5), milliseconds(40)),
                  [this, token] { carry_out(token); });
}

void Pacemaker::carry_out(RequestToken token) {
    const auto found = operations_.find(token);
    if (found == operations_.end()) {
        return;
    }
    const Operation& operation = found->second;
    Machine& machine = *machines_.at(operation.node);
    if (machine.process() != operation.process) {
        return;
    }
    if (!totem_.is_working(operation.node)) {
        agenda_.after(milliseconds(50), [this, token] { carry_out(token); });
        return;
    }
    machine.post([this, node = operation.node, token, action = operation.action,
                  gateway = operation.gateway](node::Node& vpnhad, TimePoint now) {
        switch (action) {
            case Action::attach:
                // What an instance wrote before its stop does not count: its start writes anew.
                machines_.at(node)->withdraw_score(gateway);
                return vpnhad.attach(token, gateway, "gateway", now);
            case Action::promote:
                return vpnhad.promote(token, gateway, now);
            case Action::demote:
                on_order_(node, gateway);
                return vpnhad.demote(token, gateway, now);
            case Action::detach:
                on_order_(node, gateway);
                return vpnhad.detach(token, gateway, now);
        }
        return effects::Effects{};
    });
}

std::optional<GatewayId> Pacemaker::silenced_by(RequestToken request) const {
    const auto found = operations_.find(request);
    const bool silences = found != operations_.end() && (found->second.action == Action::demote ||
                                                         found->second.action == Action::detach);
    return silences ? std::optional(found->second.gateway) : std::nullopt;
}

void Pacemaker::on_answer(NodeId node, const effects::AnswerRequest& answer) {
    if (on_fenced(answer)) {
        return;
    }
    const auto found = operations_.find(answer.request);
    if (found == operations_.end()) {
        return;
    }
    Operation& operation = found->second;
    if (plan_.stand_in && !answer.result && answer.result.error().code == Errc::busy &&
        agenda_.now() + kBusy < operation.until) {
        agenda_.after(kBusy, [this, token = found->first] { carry_out(token); });
        return;
    }
    operation.answered = true;
    if (operation.action == Action::promote) {
        promoted_[{operation.gateway, node}] = operation.process;
    } else if (operation.action != Action::attach) {
        promoted_.erase({operation.gateway, node});
    }
    if (answer.result) {
        return;
    }
    story_.notify("pacemaker: {} gateway {} at node {} failed: {}",
                  kActions[static_cast<std::size_t>(operation.action)], operation.gateway.value,
                  node.value, answer.result.error().detail);
    avoided_[{operation.gateway, node}] = agenda_.now() + seconds(2);
    if (plan_.stand_in && operation.action == Action::promote) {
        failed_.insert({operation.gateway, node});
    }
    if (operation.action == Action::demote || operation.action == Action::detach) {
        condemned_.insert(node);  // Nobody knows what still runs there.
    }
}

void Pacemaker::move(GatewayId gateway) {
    if (const auto node = promoted(gateway); node && !busy(gateway)) {
        avoided_[{gateway, *node}] = agenda_.now() + seconds(2);
        order(Action::demote, gateway, *node);
    }
}

void Pacemaker::set_standby(NodeId node, bool standby) {
    if (standby) {
        standby_.insert(node);
    } else {
        standby_.erase(node);
    }
}

std::optional<NodeId> Pacemaker::promoted(GatewayId gateway) const {
    for (const auto& [node, machine] : machines_) {
        const node::GatewayNode* here = machine->gateway(gateway);
        const bool is_promoted =
            plan_.stand_in ? serves(gateway, node)
                           : here != nullptr && here->view().state() == takeover::State::promoted;
        if (is_promoted && totem_.is_quorate(node)) {
            return node;
        }
    }
    return std::nullopt;
}

bool Pacemaker::busy(GatewayId gateway) const {
    return std::any_of(operations_.begin(), operations_.end(), [&](const auto& each) {
        return each.second.gateway == gateway && each.second.action != Action::attach;
    });
}

bool Pacemaker::pending(Action action, GatewayId gateway, NodeId node) const {
    return std::any_of(operations_.begin(), operations_.end(), [&](const auto& each) {
        return each.second.gateway == gateway && each.second.action == action &&
               each.second.node == node;
    });
}

}  // namespace vpnha::sim
