// SPDX-License-Identifier: GPL-2.0-or-later
// How the parts of a cluster belong together. What happens to it is in steps.cpp.
#include "sim/world.hpp"

#include <algorithm>

#include "sim/lease_words.hpp"

namespace vpnha::sim {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Twice the longest pause of a request or an installation that is tried again, and a client's
// silence in between.
constexpr Duration kSettling = seconds(240);
// Clients of WireGuard that are silent have no open accounts any more, nor tombstones of them.
constexpr Duration kPeersSettling = seconds(150);
constexpr Duration kQuiet = seconds(30);
// What was used last has been read, and said.
constexpr Duration kLastReading = seconds(2);
// Nothing new is said before all nodes lose each other once more: whoever meets again has only what
// it said long ago.
constexpr Duration kAlone = seconds(100);
// A node with a new disk has booted, and has heard of everything, before another one loses its own.
constexpr Duration kDiskPause = seconds(60);
// All are up again by then, and have told each other what they remember.
constexpr Duration kLookedAt = seconds(60);
// More than a node takes to notice a disk that refuses.
constexpr Duration kLongLull = seconds(75);
// How often somebody looks whether a gateway is served.
constexpr Duration kGlance = milliseconds(50);

}  // namespace

World::World(const Plan& plan, Story::Mode mode)
    : plan_(plan),
      random_(plan.seed),
      story_(agenda_, mode),
      clients_(random_),
      callers_(plan.seed, clients_),
      ike_clients_(plan.seed, plan.inner_percent, story_),
      traffic_(plan.seed),
      of_stand_in_(plan.seed + 9),
      of_lulls_(plan.seed + 10),
      of_calls_(plan.seed * 0x9e3779b97f4a7c15 + 13),
      of_accounts_(plan.seed * 0x9e3779b97f4a7c15 + 15),
      of_ipsec_(plan.seed * 0x9e3779b97f4a7c15 + 18),
      of_new_calls_(plan.seed * 0x9e3779b97f4a7c15 + 21),
      totem_(
          agenda_, random_, story_, plan_,
          [this](NodeId node, const Delivery& delivery) { machines_.at(node)->deliver(delivery); }),
      pacemaker_(
          agenda_, random_, story_, plan_, totem_, machines_, [this](NodeId node) { fence(node); },
          [this](NodeId node) { kill_daemon(node); },
          [this](NodeId node, GatewayId gateway) {
              oracle_.on_order(*machines_.at(node), gateway);
          }),
      oracle_(agenda_, story_, plan_, machines_, totem_, clients_, callers_, ike_clients_,
              [this](NodeId to, NodeId from) {
                  return totem_.carries(from, to) && !deaf_.contains({from, to});
              }) {
    Surroundings& surroundings = *this;
    for (std::uint32_t node = 1; node <= plan.nodes; ++node) {
        machines_[NodeId{node}] =
            std::make_unique<Machine>(NodeId{node}, agenda_, random_, story_, plan_, surroundings);
        voters_.insert(NodeId{node});
    }
}

Tally World::run() {
    story_.notify("seed {}: {}", plan_.seed, describe(plan_));
    for (const auto& [node, machine] : machines_) {
        boot(node);
    }
    pacemaker_.start();
    if (plan_.bounds_silence()) {
        watch_silence();
    }
    if (plan_.calls_percent > 0 || plan_.ipsec) {
        beat();
    }
    pass(seconds(5));
    for (unsigned done = 0; done < plan_.steps; ++done) {
        pass_calls();
        pass_ipsec();
        step();
        begin_new_call();
        strike_who_stands_in();
        pass_packets();
        lull();
        oracle_.compare_all();
        pass(between(random_, Duration(0), 2 * plan_.pace));
    }
    end_faults();
    if (random_.chance(50)) {
        pass(kAlone);
        shatter();
    }
    pass(kSettling + (plan_.wireguard && plan_.accounts ? kPeersSettling : Duration{}));
    if (plan_.has_numbers() || plan_.calls_percent > 0) {
        clients_are_quiet_ = true;
        for (const auto& [node, machine] : machines_) {
            machine->end_numbers();
        }
        pass(kLastReading);
    }
    const std::uint64_t before = totem_.messages();
    pass(kQuiet);
    oracle_.check_settled(totem_.messages() - before);
    return oracle_.tally();
}

// Most steps follow within a second: what a fault leads to in the end is seen by who waits for it.
void World::lull() {
    if (plan_.seed < kSixthSeries || !of_lulls_.chance(4)) {
        return;
    }
    const bool is_long = plan_.has(Fault::disk_full) && of_lulls_.chance(20);
    pass(is_long ? kLongLull : between(of_lulls_, seconds(4), seconds(16)));
}

void World::watch_silence() {
    oracle_.check_silence();
    agenda_.after(kGlance, [this] { watch_silence(); });
}

void World::pass(Duration time) {
    const TimePoint end = agenda_.now() + time;
    while (agenda_.step(end)) {
    }
}

void World::boot(NodeId node) {
    totem_.start(node);
    start_daemon(node, between(random_, milliseconds(10), milliseconds(500)));
}

void World::start_daemon(NodeId node, Duration after) {
    agenda_.after(after, [this, node, process = machines_.at(node)->process()] {
        Machine& machine = *machines_.at(node);
        if (machine.process() == process && machine.node() == nullptr) {
            machine.start();
            totem_.join(node);
        }
    });
}

void World::cut_power(NodeId node) {
    Machine& machine = *machines_.at(node);
    if (totem_.ring_of(node).empty()) {
        return;  // Off already.
    }
    story_.notify(node, "loses its power");
    oracle_.on_death(node);
    machine.cut_power();
    if (plan_.has(Fault::disk_lost) && may_lose_disk(node) && random_.chance(30)) {
        story_.notify(node, "its disk is lost");
        disk_lost_at_ = agenda_.now();
        machine.lose_disk();
    }
    totem_.stop(node);
    agenda_.after(between(random_, seconds(1), seconds(20)), [this, node] {
        if (totem_.ring_of(node).empty()) {
            boot(node);
        }
    });
}

bool World::may_lose_disk(NodeId node) const {
    return !faults_over_ && agenda_.now() >= disk_lost_at_ + kDiskPause &&
           std::all_of(machines_.begin(), machines_.end(), [&](const auto& each) {
               return each.first == node || each.second->remembers();
           });
}

// A device has switched the power off, and whoever is left is told so: of two nodes the other one
// waits for it.
void World::fence(NodeId node) {
    cut_power(node);
    for (const auto& [other, machine] : machines_) {
        if (other != node && totem_.is_quorate(other)) {
            machine->post([node](node::Node& vpnhad, TimePoint now) {
                return vpnhad.confirm_dead(0, node, lease::Confirmed::by_device, now);
            });
        }
    }
}

void World::kill_daemon(NodeId node) {
    Machine& machine = *machines_.at(node);
    if (machine.node() == nullptr || machine.paused()) {
        return;
    }
    story_.notify(node, "vpnhad is killed");
    end_daemon(node);
}

void World::end_daemon(NodeId node) {
    oracle_.on_death(node);
    machines_.at(node)->kill();
    totem_.leave(node);
    start_daemon(node, between(random_, milliseconds(200), seconds(4)));
}

bool World::send_to_group(NodeId node, const Bytes& message) {
    last_emitted_[node] = message;
    return totem_.send(node, message);
}

void World::before_message(Machine& machine, const GroupMessage& message) {
    oracle_.before_message(machine, message.sender, message.bytes);
}

void World::on_effects(Machine& machine, const effects::Effects& effects, bool silenced) {
    oracle_.on_effects(machine, effects, silenced);
}

void World::on_effect(Machine& machine, const effects::Effect& effect) {
    oracle_.on_effect(machine, effect);
}

// Datagrams: late, in another order, or, as long as there are faults, never. Second copies end in
// the replay guard.
void World::on_lease(Machine& machine, const effects::SendLease& sent) {
    const lease::Sender sender = machine.sender();
    const auto carries = [this, from = sender.node, to = sent.to] {
        return totem_.carries(from, to) && !deaf_.contains({from, to});
    };
    if (std::holds_alternative<lease::Hello>(sent.message)) {
        // Each second, between all: nothing is drawn for them.
        agenda_.after(milliseconds(1), [this, sender, sent, carries] {
            if (carries()) {
                machines_.at(sent.to)->deliver_lease(sender, sent);
            }
        });
        return;
    }
    const bool lost = (random_.chance(1) && !faults_over_) || !carries();
    if (story_.is_notified()) {
        if (const std::string words = in_words(sent.message); !words.empty()) {
            story_.notify(sender.node, "to node {}{}: {}", sent.to.value, lost ? ", lost" : "",
                          words);
        }
    }
    if (lost) {
        return;
    }
    agenda_.after(between(random_, microseconds(50), milliseconds(random_.chance(5) ? 80 : 3)),
                  [this, sender, sent, carries] {
                      if (carries()) {
                          machines_.at(sent.to)->deliver_lease(sender, sent);
                      }
                  });
}

void World::on_answer(Machine& machine, const effects::AnswerRequest& answer) {
    if (const auto gateway = pacemaker_.silenced_by(answer.request); gateway && answer.result) {
        oracle_.on_silenced(machine, *gateway);
    }
    pacemaker_.on_answer(machine.id(), answer);
}

// By a tool of Pacemaker that takes its time, and that nobody waits for.
void World::on_withdrawn(const effects::WithdrawScore& score) {
    agenda_.after(between(random_, milliseconds(20), milliseconds(800)), [this, score] {
        for (auto& [node, machine] : machines_) {
            if (machine->name() == score.node) {
                machine->withdraw_score(score.gateway);
            }
        }
    });
}

// By the kernel of a machine that is not frozen; on the lines of the cluster.
void World::on_echo_asked(Machine& machine, const effects::AskForEcho& asked) {
    const NodeId asker = machine.id();
    const auto answers = [this, asker, asked = asked.node] {
        return machines_.at(asked)->powered() && !machines_.at(asked)->paused() &&
               totem_.carries(asker, asked) && totem_.carries(asked, asker);
    };
    if (!answers() || (random_.chance(1) && !faults_over_)) {
        return;
    }
    agenda_.after(between(random_, microseconds(100), milliseconds(2)),
                  [this, asker, asked] { machines_.at(asker)->deliver_echo(asked.node); });
}

// At the end of the event that told it.
void World::on_fenced(Machine& machine) {
    machine.shut_gates();
    agenda_.after({}, [this, &machine, process = machine.process()] {
        if (machine.process() == process) {
            cut_power(machine.id());
        }
    });
}

void World::on_numbers(Machine& machine, const Numbers::Key& sa, std::uint64_t first,
                       std::uint64_t count) {
    oracle_.on_numbers(machine, sa, first, count);
}

void World::on_warm(Machine& machine, GatewayId gateway, const keepers::Margin& margin) {
    oracle_.on_warm(machine, gateway, margin);
}

void World::on_number_set(Machine& machine, const Numbers::Key& sa, std::uint64_t next) {
    oracle_.on_number_set(machine, sa, next);
}

void World::on_peer_tried(Machine& machine, GatewayId gateway) {
    oracle_.on_peer_tried(machine, gateway);
}

// A server answers most requests. The node's own address carries them, whatever its gate does.
void World::on_account(Machine& machine, const node::SendAccounting& sent) {
    oracle_.on_account(machine, sent);
    const Epoch sent_in = machine.gateway(sent.gateway)->cores().replica.epoch();
    const bool is_taken = faults_over_ || of_accounts_.chance(85);
    const bool is_answered = is_taken && (faults_over_ || of_accounts_.chance(90));
    if (is_taken) {
        oracle_.on_account_taken(sent);
    }
    const Duration lasts = is_answered ? between(of_accounts_, milliseconds(1), milliseconds(50))
                                       : Duration(seconds(1));
    agenda_.after(lasts, [this, &machine, sent, sent_in, is_answered, process = machine.process()] {
        if (machine.process() != process) {
            return;
        }
        machine.post([this, &machine, sent, sent_in, is_answered](node::Node& node, TimePoint now) {
            if (is_answered) {
                oracle_.on_account_answered(machine, sent, sent_in);
            }
            using Result = node::AccountingResult;
            return node.on_event(
                sent.gateway,
                node::AccountingAnswered{sent.ticket,
                                         is_answered ? Result::answered : Result::silent, "radius"},
                now);
        });
    });
}

void World::on_settled(Machine& machine, bool of_lease) {
    oracle_.on_settled(machine, of_lease);
}

// Only an open gate lets anything through, in both directions.
void World::on_datagram(Machine& machine, const node::SendDatagram& datagram) {
    if (!machine.gate_open(datagram.gateway)) {
        return;
    }
    const auto answer =
        clients_.on_datagram(datagram.tunnel, datagram.bytes, machine.just_thawed());
    if (!answer) {
        return;
    }
    agenda_.after(between(random_, milliseconds(1), milliseconds(20)), [this, &machine, datagram,
                                                                        bytes = *answer] {
        if (machine.gate_open(datagram.gateway)) {
            machine.post([=](node::Node& node, TimePoint now) {
                return node.on_event(datagram.gateway, node::TunnelDatagram{datagram.tunnel, bytes},
                                     now);
            });
        }
    });
}

void World::on_frame(Machine& machine, const node::SendFrame& frame) {
    if (!machine.gate_open(frame.gateway)) {
        return;
    }
    const auto answer = clients_.on_frame(frame.session, frame.frame);
    if (!answer) {
        return;
    }
    agenda_.after(between(random_, milliseconds(1), milliseconds(20)), [this, &machine, frame,
                                                                        bytes = *answer] {
        if (machine.gate_open(frame.gateway)) {
            machine.post([=](node::Node& node, TimePoint now) {
                return node.on_event(frame.gateway, node::SessionFrame{frame.session, bytes}, now);
            });
        }
    });
}

void World::end_faults() {
    story_.notify("the faults end");
    faults_over_ = true;
    totem_.heal_links();
    ++ring_storms_;
    totem_.heal_ring_links();
    totem_.widen();
    deaf_.clear();
    pacemaker_.end_faults();
    for (const auto& [node, machine] : machines_) {
        machine->be_slow({});
        machine->fail_steps(0);
        machine->fill_disk(false);
        for (const LinkSide side : kLinkSides) {
            machine->set_carrier(side, true);
        }
        machine->kernel().refused_percent = 0;
        machine->charon().refused_percent = 0;
        machine->flows().failing_listings_percent = 0;
        machine->flows().table().room = FlowTable::kRoom;
        if (machine->paused()) {
            // The clock of a host that a storm stalls continues (shake_rings()).
            machine->resume(!plan_.has(Fault::pause));
        }
        if (totem_.is_paused(node)) {
            totem_.pause(node, false);
        }
        voters_.insert(node);
    }
    if (plan_.has(Fault::voters)) {
        notify_voters(milliseconds(500));
    }
    agenda_.after(kLookedAt, [this] { vouch(); });
}

// Who was the only voter when its disk was lost waits for an administrator.
void World::vouch() {
    for (const auto& [id, machine] : machines_) {
        for (std::uint8_t number = 1; number <= plan_.gateways; ++number) {
            const node::GatewayNode* const gateway = machine->gateway(GatewayId{number});
            if (gateway == nullptr ||
                gateway->cores().lease.engine().awaited() != std::vector{id}) {
                continue;
            }
            story_.notify(id, "is told to vote without what only it remembered");
            machine->post([self = id](node::Node& node, TimePoint now) {
                return node.vote_without(0, self, now);
            });
        }
    }
}

void World::shatter() {
    story_.notify("all nodes lose each other");
    for (const auto& [a, one] : machines_) {
        for (const auto& [b, other] : machines_) {
            totem_.set_link(a, b, a == b);
        }
    }
    pass(between(random_, seconds(3), seconds(6)));
    totem_.heal_links();
}

NodeId World::any_node() {
    return NodeId{static_cast<std::uint32_t>(1 + random_.below(plan_.nodes))};
}

GatewayId World::any_gateway() {
    return GatewayId{static_cast<std::uint8_t>(1 + random_.below(plan_.gateways))};
}

Machine* World::holder(GatewayId gateway) {
    for (const auto& [node, machine] : machines_) {
        const node::GatewayNode* here = machine->gateway(gateway);
        if (here != nullptr && here->view().state() == takeover::State::promoted &&
            machine->gate_open(gateway) && !machine->paused()) {
            return machine.get();
        }
    }
    return nullptr;
}

bool World::is_moving() const {
    for (const auto& [node, machine] : machines_) {
        for (std::uint8_t gateway = 1; gateway <= plan_.gateways; ++gateway) {
            const node::GatewayNode* here = machine->gateway(GatewayId{gateway});
            if (here != nullptr && (here->view().state() == takeover::State::taking_over ||
                                    here->view().state() == takeover::State::standing_in ||
                                    here->view().state() == takeover::State::draining ||
                                    here->view().state() == takeover::State::releasing)) {
                return true;
            }
        }
    }
    return false;
}

}  // namespace vpnha::sim
