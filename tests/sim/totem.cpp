// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/totem.hpp"

#include <algorithm>

namespace vpnha::sim {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// What a node says while it has the token.
constexpr std::size_t kMessagesPerVisit = 8;
// A ring that carries little passes its token on when so much is still on its way.
constexpr Duration kBacklogMax = milliseconds(30);
// Of a message beside its content.
constexpr std::size_t kOverheadBytes = 100;

std::string list(const std::set<NodeId>& nodes) {
    std::string text;
    for (const NodeId node : nodes) {
        text += fmt::format("{}{}", text.empty() ? "" : ",", node.value);
    }
    return text;
}

}  // namespace

Totem::Totem(Agenda& agenda, test::Random& random, Story& story, const Plan& plan, Deliver deliver)
    : agenda_(agenda), random_(random), story_(story), plan_(plan), deliver_(std::move(deliver)) {
    for (std::uint32_t node = 1; node <= plan.nodes; ++node) {
        members_[NodeId{node}];
    }
}

void Totem::start(NodeId node) {
    Member& member = members_.at(node);
    member = Member{};
    member.ring = std::make_shared<Ring>(Ring{{node}, {}, 0, false});
    changed();
}

void Totem::stop(NodeId node) {
    members_.at(node) = Member{};
    changed();
}

void Totem::pause(NodeId node, bool paused) {
    members_.at(node).paused = paused;
    if (!paused) {
        schedule_arrival(node);
    }
    changed();
}

void Totem::set_link(NodeId from, NodeId to, bool carries) {
    if (carries) {
        broken_.erase({from, to});
    } else {
        broken_.insert({from, to});
    }
    changed();
}

void Totem::heal_links() {
    broken_.clear();
    changed();
}

void Totem::set_ring_link(NodeId from, NodeId to, bool carries) {
    if (carries) {
        broken_for_rings_.erase({from, to});
    } else {
        broken_for_rings_.insert({from, to});
    }
    changed();
}

void Totem::heal_ring_links() {
    broken_for_rings_.clear();
    changed();
}

void Totem::join(NodeId node) {
    Member& member = members_.at(node);
    member.process = true;
    member.queue.emplace_back(Join{});
    schedule_visit(node);
}

void Totem::leave(NodeId node) {
    Member& member = members_.at(node);
    member.process = false;
    member.listening = false;
    member.queue.clear();
    if (member.ring && member.ring->processes.contains(node)) {
        member.queue.emplace_back(Leave{});
        schedule_visit(node);
    }
}

bool Totem::leaves(const Member& member) {
    return !member.queue.empty() && std::holds_alternative<Leave>(member.queue.front());
}

bool Totem::send(NodeId node, Bytes bytes) {
    Member& member = members_.at(node);
    if (member.queue.size() >= plan_.group_queue) {
        return false;
    }
    member.queue.emplace_back(std::move(bytes));
    schedule_visit(node);
    return true;
}

std::set<NodeId> Totem::ring_of(NodeId node) const {
    const auto& ring = members_.at(node).ring;
    return ring ? ring->members : std::set<NodeId>{};
}

bool Totem::is_quorate(NodeId node) const {
    const auto& ring = members_.at(node).ring;
    return ring && quorate(*ring);
}

bool Totem::is_working(NodeId node) const {
    const auto& ring = members_.at(node).ring;
    return ring && works(*ring);
}

bool Totem::is_idle(NodeId node) const {
    return is_working(node) && members_.at(node).queue.empty();
}

bool Totem::quorate(const Ring& ring) const {
    return 2 * ring.members.size() > plan_.nodes;
}

bool Totem::reach_each_other(NodeId a, NodeId b) const {
    return !broken_.contains({a, b}) && !broken_.contains({b, a}) &&
           !broken_for_rings_.contains({a, b}) && !broken_for_rings_.contains({b, a});
}

bool Totem::works(const Ring& ring) const {
    return !ring.forming && std::all_of(ring.members.begin(), ring.members.end(), [&](NodeId a) {
        const Member& member = members_.at(a);
        return member.ring.get() == &ring && !member.paused &&
               std::all_of(ring.members.begin(), ring.members.end(),
                           [&](NodeId b) { return reach_each_other(a, b); });
    });
}

// Every change leads to a look at the rings, after the time in which totem notices.
void Totem::changed() {
    for (const auto& [node, member] : members_) {
        schedule_visit(node);
    }
    if (check_due_) {
        return;
    }
    check_due_ = true;
    agenda_.after(between(random_, plan_.token, plan_.token * 5 / 4), [this] {
        bool needed = false;
        for (const std::set<NodeId>& side : sides()) {
            const Ring& ring = *members_.at(*side.begin()).ring;
            needed = needed || ring.members != side || !works(ring);
        }
        if (!needed) {
            check_due_ = false;
            return;
        }
        for (auto& [node, member] : members_) {
            if (member.ring && !member.paused) {
                const auto all = sides();
                const bool stays =
                    std::find(all.begin(), all.end(), member.ring->members) != all.end() &&
                    works(*member.ring);
                member.ring->forming = !stays;
            }
        }
        agenda_.after(plan_.consensus, [this] { reform(); });
    });
}

std::vector<std::set<NodeId>> Totem::sides() const {
    std::vector<std::set<NodeId>> sides;
    for (const auto& [node, member] : members_) {
        if (!member.ring || member.paused) {
            continue;
        }
        const auto place =
            std::find_if(sides.begin(), sides.end(), [&, a = node](const auto& side) {
                return std::all_of(side.begin(), side.end(),
                                   [&](NodeId b) { return reach_each_other(a, b); });
            });
        if (place == sides.end()) {
            sides.push_back({node});
        } else {
            place->insert(node);
        }
    }
    return sides;
}

void Totem::reform() {
    check_due_ = false;
    for (const std::set<NodeId>& side : sides()) {
        const Ring& ring = *members_.at(*side.begin()).ring;
        if (ring.members != side || !works(ring)) {
            form(side);
        }
    }
    // What changed while consensus was sought is seen by another look.
    for (const std::set<NodeId>& side : sides()) {
        if (!works(*members_.at(*side.begin()).ring)) {
            changed();
        }
    }
    for (const auto& [node, member] : members_) {
        schedule_visit(node);
    }
}

void Totem::form(const std::set<NodeId>& side) {
    const auto survivors = recover(side);
    const auto ring = std::make_shared<Ring>(Ring{side, {}, 0, false});
    bool same_processes = true;
    bool same_quorum = true;
    for (const NodeId node : side) {
        const Member& member = members_.at(node);
        if (member.process || leaves(member)) {
            ring->processes.insert(node);
        }
    }
    for (const NodeId node : side) {
        Member& member = members_.at(node);
        same_processes = same_processes && member.ring->processes == ring->processes;
        same_quorum = same_quorum && quorate(*member.ring) == quorate(*ring);
    }
    std::set<NodeId> present;
    story_.notify("ring {} formed, vpnhad at {}, {}", list(side), list(ring->processes),
                  quorate(*ring) ? "quorate" : "not quorate");
    for (const NodeId node : side) {
        Member& member = members_.at(node);
        const std::set<NodeId>& left = survivors.at(node);
        if (left != member.ring->processes && left != ring->processes && !left.empty()) {
            member.coming.push_back({0, agenda_.now(), Membership{left, quorate(*ring)}, {}});
        }
        // A process that has queued its joining is in with the ring; one that left an old one is
        // heard to leave, and its successor to join, on the new ring.
        if (member.process && !leaves(member)) {
            std::erase_if(member.queue, [](const Queued& queued) {
                return std::holds_alternative<Join>(queued);
            });
            present.insert(node);
        }
        member.ring = ring;
        member.received = 0;
    }
    if (!same_processes || !same_quorum) {
        put_in_order(*ring, Membership{ring->processes, quorate(*ring)}, present);
    }
    for (const NodeId node : side) {
        schedule_arrival(node);
    }
}

// Gives those who come from the same ring the same messages; returns for each node the processes of
// its old ring that are still with it.
std::map<NodeId, std::set<NodeId>> Totem::recover(const std::set<NodeId>& side) {
    std::map<NodeId, std::set<NodeId>> survivors;
    for (const NodeId node : side) {
        Member& member = members_.at(node);
        std::uint64_t known = 0;
        for (const NodeId other : side) {
            const Member& companion = members_.at(other);
            if (companion.ring == member.ring) {
                known = std::max(known, companion.received);
                if ((companion.process || leaves(companion)) &&
                    member.ring->processes.contains(other)) {
                    survivors[node].insert(other);
                }
            }
        }
        survivors[node];
        // Whoever has said something has it.
        std::erase_if(member.coming, [&](const Entry& entry) {
            const auto* const message = std::get_if<GroupMessage>(&entry.content);
            const bool is_had = message != nullptr && side.contains(message->sender) &&
                                members_.at(message->sender).ring == member.ring;
            return entry.number > known && !is_had;
        });
        for (Entry& entry : member.coming) {
            entry.at = agenda_.now();
        }
        member.last_at = agenda_.now();
    }
    // Received by all before anybody's ring is replaced.
    for (const NodeId node : side) {
        arrive(node);
    }
    return survivors;
}

void Totem::schedule_visit(NodeId node) {
    Member& member = members_.at(node);
    if (member.visit_due || member.queue.empty() || !member.ring || !works(*member.ring)) {
        return;
    }
    member.visit_due = true;
    agenda_.after(between(random_, microseconds(20), microseconds(400)), [this, node] {
        members_.at(node).visit_due = false;
        visit(node);
    });
}

void Totem::visit(NodeId node) {
    Member& member = members_.at(node);
    if (!member.ring || !works(*member.ring)) {
        return;
    }
    Ring& ring = *member.ring;
    if (ring.carried_at > agenda_.now() + kBacklogMax) {
        member.visit_due = true;
        agenda_.at(ring.carried_at - kBacklogMax, [this, node] {
            members_.at(node).visit_due = false;
            visit(node);
        });
        return;
    }
    for (std::size_t emitted = 0; emitted < kMessagesPerVisit && !member.queue.empty(); ++emitted) {
        Queued queued = std::move(member.queue.front());
        member.queue.pop_front();
        if (auto* bytes = std::get_if<Bytes>(&queued)) {
            ++messages_;
            put_in_order(ring, GroupMessage{node, std::move(*bytes)}, {});
        } else if (std::holds_alternative<Join>(queued)) {
            ring.processes.insert(node);
            put_in_order(ring, Membership{ring.processes, quorate(ring)}, {node});
        } else {
            ring.processes.erase(node);
            put_in_order(ring, Membership{ring.processes, quorate(ring)}, {});
        }
    }
    schedule_visit(node);
}

TimePoint Totem::carried(Ring& ring, std::size_t bytes) const {
    if (plan_.group_bytes_per_second == 0 || !narrow_) {
        return agenda_.now();
    }
    const std::uint64_t ns =
        (bytes + kOverheadBytes) * std::uint64_t{1'000'000'000} / plan_.group_bytes_per_second;
    ring.carried_at = std::max(ring.carried_at, agenda_.now()) +
                      std::chrono::nanoseconds(static_cast<std::int64_t>(ns));
    return ring.carried_at;
}

void Totem::put_in_order(Ring& ring, const Delivery& content,
                         const std::set<NodeId>& first_received) {
    const std::uint64_t number = ++ring.entries;
    const auto* message = std::get_if<GroupMessage>(&content);
    const TimePoint through = carried(ring, message == nullptr ? 0 : message->bytes.size());
    for (const NodeId node : ring.members) {
        Member& member = members_.at(node);
        TimePoint at = through;
        if (message == nullptr || message->sender != node) {
            at += random_.chance(3) ? between(random_, milliseconds(1), milliseconds(20))
                                    : between(random_, microseconds(10), microseconds(200));
        }
        member.last_at = std::max(member.last_at, at);
        member.coming.push_back({number, member.last_at, content, first_received});
        schedule_arrival(node);
    }
}

void Totem::schedule_arrival(NodeId node) {
    const Member& member = members_.at(node);
    if (!member.coming.empty()) {
        agenda_.at(member.coming.back().at, [this, node] { arrive(node); });
        if (member.coming.size() > 1) {
            agenda_.at(member.coming.front().at, [this, node] { arrive(node); });
        }
    }
}

void Totem::arrive(NodeId node) {
    Member& member = members_.at(node);
    while (!member.paused && !member.coming.empty() && member.coming.front().at <= agenda_.now()) {
        const Entry entry = std::move(member.coming.front());
        member.coming.pop_front();
        receive(node, entry);
    }
}

void Totem::receive(NodeId node, const Entry& entry) {
    Member& member = members_.at(node);
    member.received = std::max(member.received, entry.number);
    if (member.process && entry.first_received.contains(node)) {
        member.listening = true;
    }
    if (member.listening) {
        deliver_(node, entry.content);
    }
}

}  // namespace vpnha::sim
