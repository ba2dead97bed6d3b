// SPDX-License-Identifier: GPL-2.0-or-later
// Engines with ways between them that take time, for tests: every node acts when it is due, as a
// loop that is never late.
#pragma once

#include <algorithm>
#include <functional>
#include <random>
#include <utility>

#include "cluster/lease/witness.hpp"
#include "unit/cluster/lease/cluster.hpp"

namespace vpnha::lease {

class FarCluster {
  public:
    // How long a datagram is on its way; nullopt: it is lost.
    using Way = std::function<std::optional<Duration>(NodeId from, NodeId to)>;

    explicit FarCluster(Way way) : way_(std::move(way)) {}

    void add(unsigned node, Engine engine) {
        const NodeId id{node};
        engines_.insert_or_assign(id, std::move(engine));
        run(id, engines_.at(id).on_members(members_, true, now_));
    }
    // Its disk takes so long for each save.
    void add_witness(const Witness& witness, Duration save_time) {
        witness_ = witness;
        save_time_ = save_time;
        saving_.clear();
    }
    // Whom every node that is added has in its group.
    void set_members(const std::vector<NodeId>& nodes) { members_ = {nodes.begin(), nodes.end()}; }
    void run(NodeId node, const Effects& effects) {
        for (const Effect& effect : effects) {
            if (const auto* deadline = std::get_if<SetDeadline>(&effect)) {
                gates_[node] = deadline->deadline;
            } else if (std::holds_alternative<Leave>(effect)) {
                gates_[node] = {};
            } else if (const auto* save = std::get_if<SaveDurable>(&effect)) {
                disks_[node] = save->durable;
            } else if (const auto* send = std::get_if<Send>(&effect)) {
                if (const std::optional<Duration> time = way_(node, send->to)) {
                    flying_.emplace(now_ + *time,
                                    Packet{sender_of(node.value), send->to, send->message});
                }
            }
        }
    }
    void run(const Witness::Orders& orders) {
        for (const Witness::Save& save : orders.saves) {
            const TimePoint begun = saving_.empty() ? now_ : saving_.back().first;
            saving_.emplace_back(begun + save_time_, save);
        }
        for (const Send& send : orders.sends) {
            if (const std::optional<Duration> time = way_(kWitness, send.to)) {
                flying_.emplace(now_ + *time,
                                Packet{{kWitness, boot_of(9), {1}}, send.to, send.message});
            }
        }
    }
    // What it leaves on its disk.
    std::optional<Witness::File> crash_witness() {
        witness_.reset();
        saving_.clear();
        return file_;
    }
    Witness& witness() { return *witness_; }
    void promote(unsigned node) { run(NodeId{node}, (*this)[node].promote(now_)); }
    void stand_in(unsigned node) { run(NodeId{node}, (*this)[node].stand_in(now_)); }
    void cut_power(unsigned node) {
        engines_.erase(NodeId{node});
        gates_.erase(NodeId{node});
    }
    void live(Duration time) {
        live_until([] { return false; }, time);
    }
    // Until `done`, or for so long; whether it is done.
    bool live_until(const std::function<bool()>& done, Duration longest) {
        const TimePoint end = now_ + longest;
        while (!done()) {
            const std::optional<TimePoint> next = next_event();
            if (!next || *next > end) {
                now_ = end;
                return false;
            }
            now_ = std::max(now_, *next);
            turn();
        }
        return true;
    }

    Engine& operator[](unsigned node) { return engines_.at(NodeId{node}); }
    [[nodiscard]] TimePoint now() const { return now_; }
    [[nodiscard]] bool speaks(unsigned node) const {
        const auto gate = gates_.find(NodeId{node});
        return gate != gates_.end() && now_ < gate->second;
    }
    [[nodiscard]] const std::map<NodeId, Durable>& disks() const { return disks_; }

  private:
    struct Packet {
        Sender from;
        NodeId to;
        Message message;
    };

    [[nodiscard]] std::optional<TimePoint> next_event() const {
        std::optional<TimePoint> next =
            flying_.empty() ? std::nullopt : std::optional(flying_.begin()->first);
        for (const auto& [id, engine] : engines_) {
            next = earliest(next, engine.next_deadline());
        }
        if (witness_) {
            next = earliest(next, witness_->next_deadline());
        }
        return saving_.empty() ? next : earliest(next, saving_.front().first);
    }
    void turn() {
        while (!flying_.empty() && flying_.begin()->first <= now_) {
            const Packet packet = flying_.begin()->second;
            flying_.erase(flying_.begin());
            if (engines_.contains(packet.to)) {
                run(packet.to,
                    engines_.at(packet.to).on_message(packet.from, packet.message, now_));
            } else if (packet.to == kWitness && witness_) {
                run(witness_->on_message(packet.from, packet.message, now_));
            }
        }
        while (!saving_.empty() && saving_.front().first <= now_) {
            const Witness::Save save = saving_.front().second;
            saving_.pop_front();
            file_ = save.file;
            run(witness_->on_saved(save.ticket, true, now_));
        }
        if (witness_) {
            if (const auto due = witness_->next_deadline(); due && *due <= now_) {
                run(witness_->on_time(now_));
            }
        }
        for (auto& [id, engine] : engines_) {
            if (const auto due = engine.next_deadline(); due && *due <= now_) {
                run(id, engine.on_time(now_));
            }
        }
    }

    Way way_;
    TimePoint now_{std::chrono::hours(1)};
    std::set<NodeId> members_;
    std::map<NodeId, Engine> engines_;
    std::map<NodeId, TimePoint> gates_;
    std::map<NodeId, Durable> disks_;
    std::multimap<TimePoint, Packet> flying_;
    std::optional<Witness> witness_;
    std::optional<Witness::File> file_;
    Duration save_time_{};
    std::deque<std::pair<TimePoint, Witness::Save>> saving_;
};

// Each way of a round trip of `trip` takes half of it, and up to `jitter` more.
inline FarCluster::Way way_of(Duration trip, Duration jitter, const std::set<unsigned>& far,
                              unsigned seed = 1) {
    return [=, random = std::mt19937(seed)](NodeId from, NodeId to) mutable {
        constexpr Duration kNear = std::chrono::microseconds(100);
        if (!far.contains(from.value) && !far.contains(to.value)) {
            return std::optional(kNear);
        }
        std::uniform_int_distribution<Duration::rep> more(0, jitter.count());
        return std::optional(trip / 2 + Duration(more(random)));
    };
}

}  // namespace vpnha::lease
