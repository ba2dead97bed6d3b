// SPDX-License-Identifier: GPL-2.0-or-later
// A planned move of the role (`vpnha switchover`), seen from one node. Pure. The node that is asked
// calls for the role: its promotion score is above all others, until Pacemaker has promoted it. One
// score decides, so there is one transition; no constraint is made that somebody could forget.
//
//   this node \ it hears | asked for it   | asked for another one | nothing for kMoveLasts,
//                        |                |                       | or a newer epoch
//   ---------------------+----------------+-----------------------+------------------------
//   does not call        | calls          | -                     | -
//   calls                | continues (1)    | stops                 | stops
//   is being promoted    | -              | -                     | continues to its end
//
//   (1) So whoever asks does so again and again, and a move whose asker is gone ends by itself.
//
// What the move has cost is told by those that took part, and added up here: the former holder's
// lease ended, and its successor's gate opened. The holder hears of the latter by the group, so
// what it counts is the silence and a message's way, on one clock.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "cluster/wire/message.hpp"

namespace vpnha::node {

inline constexpr Duration kMoveLasts = std::chrono::seconds(3);

class PlannedMove {
  public:
    // What is known of the newest one.
    struct Report {
        Epoch epoch;  // The successor's.
        NodeId to;
        std::optional<Duration> silence;
        std::optional<std::uint32_t> had;   // Sessions, at the former holder when it was asked.
        std::optional<std::uint32_t> kept;  // At its successor.
    };

    PlannedMove(GatewayId gateway, NodeId self) : gateway_(gateway), self_(self) {}

    // This node is to ask the group.
    void ask(NodeId to, const Epoch& epoch);
    // The group was asked to move the role out of `epoch`. True: it is the first time.
    bool on_asked(NodeId to, const Epoch& epoch, TimePoint now);
    // This node serves in the epoch that is to end, and has so many sessions.
    void note_sessions(std::uint32_t had) { had_ = had; }

    // This node calls for the role, which `epoch` has.
    [[nodiscard]] bool calls(const Epoch& epoch, TimePoint now) const;
    // Pacemaker promotes this node: by the move, if it calls.
    void on_promotion(const Epoch& epoch, TimePoint now) { takes_ = calls(epoch, now); }
    // Until the end of that promotion.
    [[nodiscard]] bool takes() const { return takes_; }
    void on_opened(const Epoch& epoch);
    void on_taken(const Epoch& epoch, std::uint32_t sessions);
    void on_not_taken() { takes_ = false; }
    // This node's lease has ended.
    void on_silent(const Epoch& epoch, TimePoint now);
    // What the others say of it.
    void on_message(NodeId sender, const wire::Move& move, TimePoint now);

    // What is to be said.
    [[nodiscard]] std::vector<wire::Move> take_due();
    [[nodiscard]] const std::optional<Report>& report() const { return report_; }
    // Forgets what nobody has repeated.
    void on_time(TimePoint now);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const {
        return asked_ ? std::optional(asked_->until) : std::nullopt;
    }
    // How often this node has taken the role over as it was asked to.
    [[nodiscard]] std::uint64_t taken() const { return taken_; }

  private:
    struct Asked {
        NodeId to;
        Epoch epoch;
        TimePoint until{};
    };

    [[nodiscard]] Report& report_of(const Epoch& epoch, NodeId to);

    GatewayId gateway_;
    NodeId self_;
    std::optional<Asked> asked_;
    std::optional<std::uint32_t> had_;
    std::optional<TimePoint> silent_since_;
    bool takes_ = false;
    std::uint64_t taken_ = 0;
    std::vector<wire::Move> due_;
    std::optional<Report> report_;
};

}  // namespace vpnha::node
