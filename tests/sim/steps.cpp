// SPDX-License-Identifier: GPL-2.0-or-later
// What happens to a cluster: its clients' doings, its administrator's, and the faults of the plan.
#include <algorithm>

#include "protocols/l2tp/work.hpp"
#include "sim/world.hpp"

namespace vpnha::sim {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Sessions of one run: what is checked after each step is checked for each of them.
constexpr std::size_t kSessionsMax = 300;

}  // namespace

void World::step() {
    // Half of all steps are work, the rest are faults of the kinds that this run has; more of them
    // while a gateway moves, when they hurt most.
    const unsigned work_percent = is_moving() ? 20 : 50;
    if (plan_.faults.empty() || random_.chance(work_percent)) {
        work();
        return;
    }
    auto fault = plan_.faults.begin();
    std::advance(fault, static_cast<std::ptrdiff_t>(random_.below(plan_.faults.size())));
    strike(*fault);
}

void World::work() {
    const std::uint64_t what = random_.below(10);
    if (what < 6) {
        dial(any_gateway());
    } else if (what < 9) {
        hang_up();
    } else {
        negotiate_again();
    }
}

void World::dial(GatewayId gateway) {
    Machine* machine = holder(gateway);
    if (machine == nullptr || clients_.sessions().size() >= kSessionsMax) {
        return;
    }
    const bool poison = plan_.has(Fault::poison) && random_.chance(10);
    const bool refused = plan_.has(Fault::refusal) && random_.chance(10);
    const bool plain = !random_.chance(4);
    const wire::RecordKey key = dial_any(gateway, poison, refused, plain);
    ++oracle_.tally().sessions;
    machine->plug_in(next_plugin_++, gateway, key, clients_.find(key)->record,
                     plain ? "" : "Multilink is not resumed");
}

void World::hang_up() {
    if (clients_.sessions().empty()) {
        return;
    }
    auto chosen = clients_.sessions().begin();
    std::advance(chosen, static_cast<std::ptrdiff_t>(random_.below(clients_.sessions().size())));
    const auto [record, session] = *chosen;
    if (session.alive) {
        end_session(record, session);
    }
}

void World::end_session(const wire::RecordKey& record, const Session& session) {
    for (const auto& [node, machine] : machines_) {
        for (const auto& [plugin, key] : machine->plugins()) {
            if (key.second == record && machine->gate_open(session.gateway)) {
                clients_.hang_up(record);
                machine->unplug(plugin);
                return;
            }
        }
    }
    hang_up_resumed(record, session.gateway);
}

void World::hang_up_resumed(const wire::RecordKey& record, GatewayId gateway) {
    Machine* machine = holder(gateway);
    if (const auto call = call_key(record)) {
        if (machine != nullptr) {
            answer(*machine, gateway, *call, callers_.emit_goodbye(*call));
        }
        return;
    }
    const l2tp::SessionKey session = l2tp_key(record);
    const l2tp::TunnelKey& tunnel = session.tunnel;
    // One CDN, never repeated: a tunnel with more sessions would wait for it.
    if (machine == nullptr || clients_.is_shared(tunnel)) {
        return;
    }
    const Bytes bytes = clients_.emit_goodbye(session);
    machine->post([gateway, tunnel, bytes](node::Node& node, TimePoint now) {
        return node.on_event(gateway, node::TunnelDatagram{tunnel, bytes}, now);
    });
}

void World::negotiate_again() {
    for (const auto& [node, machine] : machines_) {
        if (machine->plugins().empty()) {
            continue;
        }
        auto chosen = machine->plugins().begin();
        std::advance(chosen, static_cast<std::ptrdiff_t>(random_.below(machine->plugins().size())));
        const auto [plugin, key] = *chosen;
        if (machine->gate_open(key.first) && clients_.find(key.second)->resumable) {
            machine->plug_in(plugin, key.first, key.second,
                             clients_.negotiate_again(key.second).record, "");
        }
    }
}

void World::storm() {
    const GatewayId gateway = any_gateway();
    const std::uint64_t many = 5 + random_.below(40);
    if (random_.chance(60)) {
        for (std::uint64_t i = 0; i < many; ++i) {
            dial(gateway);
        }
    } else {
        for (std::uint64_t i = 0; i < many; ++i) {
            hang_up();
        }
    }
}

void World::strike(Fault fault) {
    const NodeId node = any_node();
    switch (fault) {
        case Fault::partition:
            split();
            break;
        case Fault::one_way:
            if (const NodeId other = any_node(); other != node) {
                story_.notify("node {} does not hear node {}", node.value, other.value);
                totem_.set_link(other, node, false);
                agenda_.after(between(random_, milliseconds(200), seconds(8)),
                              [this, node, other] { totem_.set_link(other, node, true); });
            }
            break;
        case Fault::storm:
            storm();
            break;
        case Fault::links:
            lose_links(node);
            break;
        case Fault::ring_storm:
            storm_rings();
            break;
        case Fault::switchover:
            if (random_.chance(50)) {
                pacemaker_.move(any_gateway());
            } else {
                ask_to_move(node);
            }
            break;
        case Fault::lease_lost:
            lose_lease(node);
            break;
        case Fault::voters:
            change_voters(node);
            break;
        case Fault::leftover:
            pacemaker_.prefer(any_gateway(),
                              random_.chance(60) ? std::optional(node) : std::nullopt);
            break;
        case Fault::flow_control:
        case Fault::poison:
        case Fault::step_lasts:
        case Fault::versions:
        case Fault::fencing_fails:
        case Fault::save_slow:
        case Fault::group_slow:
            work();  // The whole run is like that.
            break;
        default:
            strike_node(fault, node);
            break;
    }
}

void World::strike_node(Fault fault, NodeId node) {
    Machine& machine = *machines_.at(node);
    switch (fault) {
        case Fault::power_cut:
        case Fault::disk_lost:
            cut_power(node);
            break;
        case Fault::disk_full:
            machine.fill_disk(random_.chance(50));
            break;
        case Fault::daemon_killed:
            if (plan_.ends && of_stand_in_.chance(50)) {
                machine.release_leases();
            }
            kill_daemon(node);
            break;
        case Fault::pause:
            pause(node);
            break;
        case Fault::corosync_hangs:
            hang_corosync(node);
            break;
        case Fault::slow:
            machine.be_slow(random_.chance(50)
                                ? Duration(0)
                                : between(random_, microseconds(100), milliseconds(20)));
            break;
        case Fault::clock:
            // Within the lease's ρ of each other: up to 9 % slow or fast.
            machine.set_clock_rate(0.913 + static_cast<double>(random_.below(175)) / 1000.0);
            break;
        case Fault::refusal:
            machine.kernel().refused_percent =
                random_.chance(50) ? 0 : static_cast<unsigned>(random_.below(100));
            machine.charon().refused_percent = machine.kernel().refused_percent / 2;
            break;
        case Fault::vanish:
            lose_sessions(machine, true);
            break;
        case Fault::overrun:
            lose_sessions(machine, false);
            break;
        case Fault::garbage:
            emit_garbage(node);
            break;
        case Fault::flow_loss:
        case Fault::flow_listing:
        case Fault::flow_full:
        case Fault::flow_flush:
            strike_flows(fault, machine);
            break;
        case Fault::step_fails:
            machine.fail_steps(random_.chance(60) ? 0 : 30);
            break;
        case Fault::standby:
            pacemaker_.set_standby(node, random_.chance(50));
            break;
        case Fault::resync:
            machine.post([gateway = any_gateway()](node::Node& vpnhad, TimePoint now) {
                return vpnhad.resync(0, gateway, now);
            });
            break;
        default:
            break;
    }
}

// Two or three sides, or the end of it.
void World::split() {
    if (random_.chance(30)) {
        story_.notify("all links are whole");
        totem_.heal_links();
        return;
    }
    const std::uint64_t sides = 2 + random_.below(2);
    std::map<NodeId, std::uint64_t> side;
    std::string notified;
    for (const auto& [node, machine] : machines_) {
        side[node] = random_.below(sides);
        notified += fmt::format(" {}:{}", node.value, side[node]);
    }
    story_.notify("the network splits{}", notified);
    for (const auto& [a, side_a] : side) {
        for (const auto& [b, side_b] : side) {
            totem_.set_link(a, b, side_a == side_b);
        }
    }
    agenda_.after(between(random_, milliseconds(100), seconds(15)),
                  [this] { totem_.heal_links(); });
}

// As of hosts that stall again and again.
void World::storm_rings() {
    const TimePoint end = agenda_.now() + between(random_, seconds(2), seconds(20));
    story_.notify("a storm of memberships begins");
    shake_rings(end, ++ring_storms_);
}

void World::shake_rings(TimePoint end, std::uint64_t number) {
    if (number != ring_storms_) {
        return;
    }
    if (agenda_.now() >= end || faults_over_) {
        story_.notify("the storm of memberships is over");
        totem_.heal_ring_links();
        return;
    }
    const unsigned share = random_.chance(30) ? 100 : 50;
    for (const auto& [a, one] : machines_) {
        for (const auto& [b, other] : machines_) {
            if (a < b) {
                totem_.set_ring_link(a, b, !random_.chance(share));
            }
        }
    }
    if (const NodeId node = any_node(); random_.chance(50)) {
        Machine& machine = *machines_.at(node);
        if (machine.powered() && !machine.paused() && !totem_.is_paused(node)) {
            pause_for(node, between(random_, milliseconds(100), milliseconds(700)), true);
        }
    }
    agenda_.after(between(random_, milliseconds(300), 3 * (plan_.token + plan_.consensus)),
                  [this, end, number] { shake_rings(end, number); });
}

void World::pause(NodeId node) {
    Machine& machine = *machines_.at(node);
    if (!machine.powered() || machine.paused() || totem_.is_paused(node)) {
        return;
    }
    const bool clock_continues = random_.chance(50);
    const Duration time = random_.chance(50) ? between(random_, milliseconds(10), milliseconds(900))
                                             : between(random_, milliseconds(900), seconds(20));
    pause_for(node, time, clock_continues);
}

void World::pause_for(NodeId node, Duration time, bool clock_continues) {
    Machine& machine = *machines_.at(node);
    story_.notify(node, "stands still for {} ms", time / milliseconds(1));
    machine.pause();
    totem_.pause(node, true);
    const std::uint64_t number = ++pauses_[node];
    agenda_.after(time, [this, node, number, clock_continues] {
        Machine& paused = *machines_.at(node);
        if (paused.paused() && pauses_.at(node) == number) {
            story_.notify(node, "continues");
            paused.resume(clock_continues);
            totem_.pause(node, false);
        }
    });
}

// Nobody is told: vpnhad there goes by the last word that it had.
void World::hang_corosync(NodeId node) {
    if (!machines_.at(node)->powered() || totem_.is_paused(node)) {
        return;
    }
    const Duration time = random_.chance(60) ? between(random_, milliseconds(600), seconds(5))
                                             : between(random_, seconds(5), seconds(20));
    story_.notify(node, "its Corosync stands still for {} ms", time / milliseconds(1));
    totem_.pause(node, true);
    const std::uint64_t number = ++pauses_[node];
    agenda_.after(time, [this, node, number] {
        if (pauses_.at(node) == number && !machines_.at(node)->paused()) {
            story_.notify(node, "its Corosync continues");
            totem_.pause(node, false);
        }
    });
}

// As of a broken, a hostile or a later vpnhad there.
void World::emit_garbage(NodeId node) {
    Bytes bytes = last_emitted_[node];
    switch (random_.below(4)) {
        case 0:
            bytes = random_.bytes(200);
            break;
        case 1:
            if (!bytes.empty()) {
                bytes[random_.below(bytes.size())] ^=
                    static_cast<std::uint8_t>(1 + random_.below(255));
            }
            break;
        case 2:
            bytes.resize(random_.below(bytes.size() + 1));
            break;
        default: {
            // A message type that may be left out.
            const wire::Dialects dialects;
            bytes = dialects.encode(wire::Extension{0x91}, dialects.version_min());
            break;
        }
    }
    if (machines_.at(node)->node() != nullptr && !bytes.empty()) {
        story_.notify(node, "says {} bytes of garbage", bytes.size());
        static_cast<void>(totem_.send(node, bytes));
    }
}

// `vpnha switchover` at that node, for as long as somebody waits for it. It may have been planned
// for an epoch that is over, or for a node that cannot.
void World::ask_to_move(NodeId node) {
    const GatewayId gateway = any_gateway();
    const NodeId to = any_node();
    const bool is_planned = random_.chance(70);
    story_.notify(node, "is asked to move gateway {} to node {}", gateway.value, to.value);
    const std::uint64_t times = 1 + random_.below(12);
    for (std::uint64_t i = 0; i < times; ++i) {
        agenda_.after(i * milliseconds(250), [this, node, gateway, to, is_planned] {
            machines_.at(node)->post([=](node::Node& vpnhad, TimePoint now) -> effects::Effects {
                const node::GatewayNode& here = *vpnhad.find(gateway);
                const Result<node::MovePlan> plan = here.moves().plan(to);
                const node::MovePlan blind{to, to, here.cores().replica.epoch()};
                return is_planned && !plan ? effects::Effects{}
                                           : vpnhad.ask_move(gateway, plan.value_or(blind), now);
            });
        });
    }
}

// Of one node, or of all of them: the upstream is dead. Some come back and go again.
void World::lose_links(NodeId node) {
    const LinkSide side = kLinkSides[random_.below(kLinkSideCount)];
    const bool upstream = random_.chance(25);
    for (const auto& [id, machine] : machines_) {
        if (!upstream && id != node) {
            continue;
        }
        Machine* const struck = machine.get();
        agenda_.after(between(random_, Duration(0), milliseconds(50)),
                      [struck, side] { struck->set_carrier(side, false); });
        agenda_.after(between(random_, milliseconds(60), seconds(20)),
                      [struck, side] { struck->set_carrier(side, true); });
    }
}

// On whoever serves; elsewhere what has a timeout of its own ends.
void World::pass_packets() {
    for (std::uint8_t number = 1; plan_.flows && number <= plan_.gateways; ++number) {
        const GatewayId gateway{number};
        Machine* const serving = holder(gateway);
        if (serving != nullptr) {
            traffic_.pass(gateway, serving->flows().table());
        }
        Machine& other = *machines_.at(any_node());
        const node::GatewayNode* here = other.gateway(gateway);
        if (here == nullptr || !here->cores().replica.promoted()) {
            traffic_.expire(gateway, other.flows().table());
        }
    }
}

// As by a packet filter: of one node, or between two.
void World::lose_lease(NodeId node) {
    const bool inwards = random_.chance(60);
    const NodeId other = any_node();
    const bool all = random_.chance(60);
    story_.notify("the lease is not heard {} node {}, {}", inwards ? "at" : "from", node.value,
                  all ? "by all" : "by one");
    for (const auto& [peer, machine] : machines_) {
        if (peer != node && (all || peer == other)) {
            const auto pair = inwards ? std::pair(peer, node) : std::pair(node, peer);
            deaf_.insert(pair);
            agenda_.after(between(random_, milliseconds(200), seconds(10)), [this, pair] {
                deaf_.erase(pair);
                story_.notify("the lease of node {} is heard at node {} again", pair.first.value,
                              pair.second.value);
            });
        }
    }
}

// A node leaves the list or comes back to it; at least two stay.
void World::change_voters(NodeId node) {
    if (voters_.contains(node) && voters_.size() > 2) {
        voters_.erase(node);
    } else {
        voters_.insert(node);
    }
    notify_voters(seconds(1));
}

// Who left it is not told: its corosync.conf is the old one.
void World::notify_voters(Duration within) {
    std::string notified;
    for (const NodeId node : voters_) {
        notified += fmt::format(" {}", node.value);
        agenda_.after(between(random_, Duration(0), within), [this, node, voters = voters_] {
            if (voters == voters_) {
                machines_.at(node)->set_voters(voters);
            }
        });
    }
    story_.notify("corosync.conf has the nodes{}", notified);
}

// Two in a row, now and then: their epochs were held, and nobody else has heard of them.
void World::strike_who_stands_in() {
    for (const auto& [node, machine] : machines_) {
        for (std::uint8_t number = 1; plan_.has_numbers() && number <= plan_.gateways; ++number) {
            const node::GatewayNode* const here = machine->gateway(GatewayId{number});
            if (here != nullptr && here->view().state() == takeover::State::standing_in &&
                of_stand_in_.chance(30)) {
                cut_power(node);
            }
        }
    }
}

void World::strike_flows(Fault fault, Machine& machine) {
    switch (fault) {
        case Fault::flow_loss:
            if (Machine* const serving = holder(any_gateway())) {
                serving->flows().overrun();
                for (int burst = 0; burst < 5; ++burst) {
                    pass_packets();
                }
            }
            break;
        case Fault::flow_listing:
            machine.flows().failing_listings_percent = random_.chance(50) ? 0 : 30;
            break;
        case Fault::flow_full: {
            FlowTable& table = machine.flows().table();
            table.room =
                random_.chance(50) ? FlowTable::kRoom : table.flows().size() + random_.below(8);
            break;
        }
        default:
            story_.notify(machine.id(), "its flows are flushed");
            oracle_.on_flush(machine.id());
            machine.flows().table().flush();
            break;
    }
}

void World::lose_sessions(Machine& machine, bool news) {
    std::vector<Kernel::Key> lost;
    for (const auto& [key, payload] : machine.kernel().sessions()) {
        // A data path that loses a call ends, and vpnhad with it.
        if (key.second.type == wire::RecordType::l2tp_session && random_.chance(30)) {
            lost.push_back(key);
        }
    }
    for (const Kernel::Key& key : lost) {
        story_.notify(machine.id(), "its kernel loses {}", name_of(key.second));
        oracle_.on_kernel_loss(machine, key);
        machine.lose_session(key, news);
    }
    if (!news) {
        machine.overrun();
    }
}

}  // namespace vpnha::sim
