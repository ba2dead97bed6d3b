// SPDX-License-Identifier: GPL-2.0-or-later
// Engines that talk at once, for tests: messages between connected nodes arrive in order, effects
// of each node are kept.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <set>

#include "cluster/lease/engine.hpp"

namespace vpnha::lease {

using std::chrono::milliseconds;

inline BootId boot_of(unsigned node, unsigned life = 1) {
    BootId boot;
    boot.octets = {static_cast<std::uint8_t>(node), static_cast<std::uint8_t>(life)};
    return boot;
}

inline Sender sender_of(unsigned node, std::uint64_t instance = 1) {
    return {NodeId{node}, boot_of(node), Instance{instance}};
}

inline std::vector<NodeId> nodes_to(unsigned last) {
    std::vector<NodeId> nodes;
    for (unsigned node = 1; node <= last; ++node) {
        nodes.push_back(NodeId{node});
    }
    return nodes;
}

// The disk of a node that remembers its list of voters, and nothing that was granted by it.
inline Durable durable_of(std::vector<NodeId> voters) {
    Durable durable;
    durable.voters.current = {{{0, NodeId{1}}, 0}, std::move(voters)};
    return durable;
}

template <class Kind>
std::vector<Kind> all_of_kind(const Effects& effects) {
    std::vector<Kind> found;
    for (const Effect& effect : effects) {
        if (const auto* one = std::get_if<Kind>(&effect)) {
            found.push_back(*one);
        }
    }
    return found;
}

// Messages of one kind among what is sent.
template <class Kind>
std::vector<Kind> sent(const Effects& effects) {
    std::vector<Kind> found;
    for (const Send& send : all_of_kind<Send>(effects)) {
        if (const auto* one = std::get_if<Kind>(&send.message)) {
            found.push_back(*one);
        }
    }
    return found;
}

class Cluster {
  public:
    // Up for long, quorate, nothing granted. The first `remembering` nodes remember a list of
    // voters of just them; the others are new.
    explicit Cluster(unsigned nodes = 3) : Cluster(nodes, nodes) {}
    Cluster(unsigned nodes, unsigned remembering) : nodes_(nodes) {
        for (const NodeId node : nodes_to(remembering)) {
            disks_[node] = durable_of(nodes_to(remembering));
        }
        for (const NodeId node : nodes_to(nodes)) {
            start(node.value);
        }
        wait(Timing{}.abstention());
    }

    // Started, or started anew, with what was on its disk.
    void start(unsigned node, bool keep_disk = true) {
        const NodeId id{node};
        if (!keep_disk) {
            disks_.erase(id);
        }
        const std::optional<Durable> disk =
            disks_.contains(id) ? std::optional(disks_[id]) : std::nullopt;
        engines_.erase(id);
        engines_.emplace(
            id, Engine({sender_of(node, ++instances_[id]), {}, nodes_to(nodes_)}, disk, now_));
        members(node, nodes_to(nodes_), true);
    }
    void members(unsigned node, const std::vector<NodeId>& present, bool quorate) {
        run(node, (*this)[node].on_members({present.begin(), present.end()}, quorate, now_));
    }
    void wait(Duration time) { now_ += time; }
    // Every node acts at each step of 10 ms.
    void live(Duration time) {
        for (Duration passed{}; passed < time; passed += milliseconds(10)) {
            wait(milliseconds(10));
            for (auto& [id, engine] : engines_) {
                if (const auto due = engine.next_deadline(); due && *due <= now_) {
                    run(id.value, engine.on_time(now_));
                }
            }
        }
    }
    // Executes what a node wants done; what it sends arrives, and so on.
    void run(unsigned node, const Effects& effects) {
        execute(NodeId{node}, effects);
        while (!queue_.empty()) {
            const Packet packet = queue_.front();
            queue_.pop_front();
            if (engines_.contains(packet.to) && !cut_.contains(packet.to) &&
                !cut_.contains(packet.from.node)) {
                Engine& engine = engines_.at(packet.to);
                execute(packet.to, engine.on_message(packet.from, packet.message, now_));
            }
        }
    }
    // An older disk is put back, as from a backup.
    void put_back(unsigned node, const Durable& disk) { disks_[NodeId{node}] = disk; }
    // Off for good, or for long.
    void stop(unsigned node) { engines_.erase(NodeId{node}); }
    void cut(unsigned node) { cut_.insert(NodeId{node}); }
    void mend(unsigned node) { cut_.erase(NodeId{node}); }

    Engine& operator[](unsigned node) { return engines_.at(NodeId{node}); }
    void promote(unsigned node) { run(node, (*this)[node].promote(now_)); }
    // The first round of a change of the voters that the holder begins; what comes of it may have
    // ended it.
    Round change_voters(unsigned holder, const std::vector<NodeId>& nodes) {
        const Result<Effects> begun = (*this)[holder].change_voters(nodes, now_);
        EXPECT_TRUE(begun.has_value()) << begun.error().detail;
        run(holder, *begun);
        return sent<Round>(*begun).at(0);
    }
    [[nodiscard]] TimePoint now() const { return now_; }
    [[nodiscard]] bool speaks(unsigned node) { return now_ < gates_[NodeId{node}]; }
    [[nodiscard]] Phase phase(unsigned node) { return (*this)[node].holder().phase(); }
    [[nodiscard]] const Durable& disk(unsigned node) { return disks_[NodeId{node}]; }
    // What that node wanted since the last call.
    Effects take(unsigned node) { return std::exchange(effects_[NodeId{node}], {}); }

  private:
    struct Packet {
        Sender from;
        NodeId to;
        Message message;
    };

    void execute(NodeId node, const Effects& effects) {
        for (const Effect& effect : effects) {
            effects_[node].push_back(effect);
            if (const auto* save = std::get_if<SaveDurable>(&effect)) {
                disks_[node] = save->durable;
            } else if (const auto* deadline = std::get_if<SetDeadline>(&effect)) {
                gates_[node] = deadline->deadline;
            } else if (std::holds_alternative<Leave>(effect)) {
                gates_[node] = {};
            } else if (const auto* send = std::get_if<Send>(&effect)) {
                queue_.push_back(
                    {sender_of(node.value, instances_[node]), send->to, send->message});
            }
        }
    }

    unsigned nodes_;
    TimePoint now_{std::chrono::hours(1)};
    std::map<NodeId, Engine> engines_;
    std::map<NodeId, std::uint64_t> instances_;
    std::map<NodeId, Durable> disks_;
    std::map<NodeId, TimePoint> gates_;
    std::map<NodeId, Effects> effects_;
    std::set<NodeId> cut_;
    std::deque<Packet> queue_;
};

}  // namespace vpnha::lease
