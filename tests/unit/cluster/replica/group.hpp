// SPDX-License-Identifier: GPL-2.0-or-later
// Replicas joined by a group that delivers everything to all members in one order, and kernels that
// take what they are given unless told otherwise. Nodes of one side of a partition hear each other
// only.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "cluster/replica/replica.hpp"

namespace vpnha::replica {

inline constexpr GatewayId kGateway{1};

inline wire::RecordKey key(std::uint32_t number) {
    ByteWriter id;
    id.u32(number);
    return {wire::RecordType::l2tp_session, wire::RecordId(id.view())};
}

class Group {
  public:
    Replica& at(std::uint32_t node) { return *replicas_.at(NodeId{node}); }
    std::set<wire::RecordKey>& kernel(std::uint32_t node) { return kernels_[NodeId{node}]; }
    void refuse(std::uint32_t node, const wire::RecordKey& refused) {
        refused_[NodeId{node}].insert(refused);
    }

    void join(std::uint32_t node) {
        replicas_[NodeId{node}] = std::make_unique<Replica>(kGateway, NodeId{node});
        members_changed();
    }
    void leave(std::uint32_t node) {
        replicas_.erase(NodeId{node});
        kernels_.erase(NodeId{node});
        members_changed();
    }
    // The named nodes on one side, the others on the other; {}: all together again.
    void split(const std::set<std::uint32_t>& away) {
        away_ = away;
        members_changed();
    }
    void promote(std::uint32_t node) {
        Replica& replica = at(node);
        run(NodeId{node},
            replica.begin_epoch(Epoch{replica.highest_epoch().number + 1, NodeId{node}}, now_));
        settle();
    }
    // Delivers, and lets due messages go out, until nobody has anything to say.
    void settle() {
        do {
            deliver();
            for (auto& [node, replica] : replicas_) {
                run(node, replica->flush(now_));
            }
        } while (!queue_.empty());
    }
    void pass(Duration time) {
        now_ += time;
        settle();
    }
    // What was sent and not yet delivered, for tests that lose or change it.
    std::deque<std::pair<NodeId, wire::Message>>& queue() { return queue_; }
    TimePoint now() const { return now_; }
    void run(NodeId node, Effects effects) {
        for (Effect& effect : effects) {
            if (auto* send = std::get_if<Send>(&effect)) {
                ++emitted[send->message.index()];
                queue_.emplace_back(node, std::move(send->message));
            } else if (auto* install = std::get_if<Install>(&effect)) {
                if (!kernels_answer) {
                    installing.emplace_back(node, *install);
                    continue;
                }
                const bool accepted = !refused_[node].contains(install->key);
                if (accepted) {
                    kernels_[node].insert(install->key);
                }
                replicas_.at(node)->on_installed(install->key, install->ticket,
                                                 accepted ? Outcome::installed : Outcome::refused,
                                                 now_);
            } else if (auto* remove = std::get_if<Remove>(&effect)) {
                kernels_[node].erase(remove->key);
            } else if (std::holds_alternative<Superseded>(effect)) {
                superseded.push_back(node.value);
            } else if (std::holds_alternative<Implausible>(effect)) {
                ++implausible;
            }
        }
    }
    std::vector<std::uint32_t> superseded;
    std::size_t implausible = 0;  // Effects, of all nodes.
    // Messages of each kind that were said.
    std::map<std::size_t, std::size_t> emitted;
    // Kernels answer at once; or when told.
    bool kernels_answer = true;
    std::deque<std::pair<NodeId, Install>> installing;
    void answer_install(Outcome outcome) {
        const auto [node, install] = std::move(installing.front());
        installing.pop_front();
        replicas_.at(node)->on_installed(install.key, install.ticket, outcome, now_);
        settle();
    }

  private:
    [[nodiscard]] bool reach_each_other(NodeId a, NodeId b) const {
        return away_.contains(a.value) == away_.contains(b.value);
    }
    void members_changed() {
        for (auto& [node, replica] : replicas_) {
            std::set<NodeId> present;
            for (const auto& [other, unused] : replicas_) {
                if (reach_each_other(node, other)) {
                    present.insert(other);
                }
            }
            replica->on_members(present, 2 * present.size() > replicas_.size(), now_);
        }
        // As the node does: everyone introduces itself anew.
        for (auto& [node, replica] : replicas_) {
            wire::Hello hello;
            hello.gateways = {{.gateway = kGateway,
                               .promoted = replica->promoted(),
                               .claimed_partial = replica->claimed_partial(),
                               .level = replica->level(),
                               .standing = replica->level(),
                               .epoch = replica->epoch()}};
            queue_.emplace_back(node, hello);
        }
        settle();
    }
    void deliver() {
        while (!queue_.empty()) {
            const auto [sender, message] = std::move(queue_.front());
            queue_.pop_front();
            for (auto& [node, replica] : replicas_) {
                if (reach_each_other(sender, node)) {
                    run(node, replica->on_message(sender, message, now_));
                }
            }
        }
    }

    std::map<NodeId, std::unique_ptr<Replica>> replicas_;
    std::map<NodeId, std::set<wire::RecordKey>> kernels_;
    std::map<NodeId, std::set<wire::RecordKey>> refused_;
    std::set<std::uint32_t> away_;
    std::deque<std::pair<NodeId, wire::Message>> queue_;
    TimePoint now_{std::chrono::hours(1)};
};

inline Group three_with_first_promoted() {
    Group group;
    for (const std::uint32_t node : {1U, 2U, 3U}) {
        group.join(node);
    }
    group.promote(1);
    return group;
}

}  // namespace vpnha::replica
