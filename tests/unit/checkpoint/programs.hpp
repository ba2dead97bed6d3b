// SPDX-License-Identifier: GPL-2.0-or-later
// Programs that are members of one group, which delivers everything to all of them in one order.
// What they hold is what install() and remove() have left them.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/member.hpp"

namespace vpnha::checkpoint {

inline std::string text_of(ByteView bytes) {
    return {bytes.begin(), bytes.end()};
}

class Programs {
  public:
    struct Program {
        explicit Program(NodeId self) : member(self) {}
        Member member;
        std::map<std::string, std::string> table;
        std::vector<std::string> confirmed;
        std::set<std::string> refuses;
        std::size_t installs = 0;
    };

    explicit Programs(std::uint32_t count) {
        for (std::uint32_t node = 1; node <= count; ++node) {
            programs_.emplace(NodeId{node}, std::make_unique<Program>(NodeId{node}));
        }
        notify_members();
    }

    [[nodiscard]] TimePoint now() const { return now_; }
    Program& at(std::uint32_t node) { return *programs_.at(NodeId{node}); }
    void leave(std::uint32_t node) {
        programs_.erase(NodeId{node});
        notify_members();
    }
    void join(std::uint32_t node) {
        come(node);
        settle();
    }
    // Without delivery.
    void come(std::uint32_t node) {
        programs_.emplace(NodeId{node}, std::make_unique<Program>(NodeId{node}));
        change_members();
    }
    // The named nodes on one side, the others on the other; {}: all together again. The larger side
    // has the quorum.
    void split(const std::set<std::uint32_t>& away) {
        away_ = away;
        notify_members();
    }
    // Both sides are together again, and what they say is on its way.
    void meet() {
        away_.clear();
        change_members();
    }

    Result<void> promote(std::uint32_t node) {
        const Result<void> done = claim(node);
        settle();
        return done;
    }
    // Without delivery.
    Result<void> claim(std::uint32_t node) {
        Result<void> done;
        run(node, [&](Member& member, Effects& effects) { done = member.promote(now_, effects); });
        return done;
    }
    void stand_by(std::uint32_t node) {
        run(node, [&](Member& member, Effects& effects) { member.stand_by(now_, effects); });
        settle();
    }
    // Without delivery: for tests of what is on its way.
    Result<void> emit(std::uint32_t node, const std::string& id, const std::string& payload) {
        Result<void> done;
        run(node, [&](Member& member, Effects& effects) {
            done = member.publish(id, payload, now_, effects);
        });
        return done;
    }
    Result<void> publish(std::uint32_t node, const std::string& id, const std::string& payload) {
        const Result<void> done = emit(node, id, payload);
        settle();
        return done;
    }
    Result<void> withdraw(std::uint32_t node, const std::string& id) {
        Result<void> done;
        run(node,
            [&](Member& member, Effects& effects) { done = member.withdraw(id, now_, effects); });
        settle();
        return done;
    }
    void handle(std::uint32_t node, std::uint32_t sender, ByteView bytes) {
        handle_only(node, sender, bytes);
        settle();
    }
    // Without delivery of what comes of it.
    void handle_only(std::uint32_t node, std::uint32_t sender, ByteView bytes) {
        run(node, [&](Member& member, Effects& effects) {
            member.on_message(NodeId{sender}, bytes, now_, effects);
        });
    }
    void pass(Duration time) {
        now_ += time;
        for (const auto& [node, program] : programs_) {
            run(node.value,
                [&](Member& member, Effects& effects) { member.on_time(now_, effects); });
        }
        settle();
    }
    void settle() {
        while (!queue_.empty()) {
            deliver_one();
        }
    }
    void deliver_one() {
        const auto [sender, bytes] = std::move(queue_.front());
        queue_.pop_front();
        for (const auto& [node, program] : programs_) {
            if (reach_each_other(sender, node)) {
                run(node.value, [&, from = sender](Member& member, Effects& effects) {
                    member.on_message(from, bytes, now_, effects);
                });
            }
        }
    }
    // What was sent and not yet delivered.
    [[nodiscard]] const std::deque<std::pair<NodeId, Bytes>>& queue() const { return queue_; }
    void set_writable(std::uint32_t node, bool writable) {
        run(node, [&](Member& member, Effects& effects) {
            member.set_writable(writable, now_, effects);
        });
    }

  private:
    // Without delivery.
    void change_members() {
        for (const auto& [node, program] : programs_) {
            std::set<NodeId> present;
            for (const auto& [other, unused] : programs_) {
                if (reach_each_other(node, other)) {
                    present.insert(other);
                }
            }
            const bool quorate = 2 * present.size() > programs_.size();
            run(node.value, [&](Member& member, Effects& effects) {
                member.on_members(present, quorate, now_, effects);
            });
        }
    }

    void notify_members() {
        change_members();
        settle();
    }
    [[nodiscard]] bool reach_each_other(NodeId a, NodeId b) const {
        return away_.contains(a.value) == away_.contains(b.value);
    }
    void run(std::uint32_t node, const std::function<void(Member&, Effects&)>& event) {
        Program& program = at(node);
        Effects effects;
        event(program.member, effects);
        for (Effect& effect : effects) {
            if (auto* const sent = std::get_if<SendToGroup>(&effect)) {
                queue_.emplace_back(NodeId{node}, std::move(sent->message));
            } else if (auto* const install = std::get_if<Install>(&effect)) {
                const std::string id = text_of(install->key.id.view());
                const bool taken = !program.refuses.contains(id);
                ++program.installs;
                if (taken) {
                    program.table[id] = text_of(install->payload);
                }
                run(node, [&](Member& member, Effects& more) {
                    member.on_installed(*install, taken, now_, more);
                });
            } else if (const auto* const remove = std::get_if<Remove>(&effect)) {
                program.table.erase(text_of(remove->key.id.view()));
            } else if (const auto* const confirmed = std::get_if<Confirmed>(&effect)) {
                program.confirmed.push_back(text_of(confirmed->key.id.view()));
            }
        }
    }

    std::map<NodeId, std::unique_ptr<Program>> programs_;
    std::set<std::uint32_t> away_;
    std::deque<std::pair<NodeId, Bytes>> queue_;
    TimePoint now_{std::chrono::hours(1)};
};

}  // namespace vpnha::checkpoint
