// SPDX-License-Identifier: GPL-2.0-or-later
// A node's own rounds on one gateway: from the claim of an epoch to its end.
//
//   3  Only answers to one and the same (epoch, instance, k) count together, and t is that k's:
//      with a majority the deadline is t + L. A claim is granted only with a renewal interval left
//      until then: a lease that began later would end before the next round is answered. L is
//      that of the round. Where it becomes shorter, no round ends before an earlier one would.
//   5  An epoch that was released, has lapsed or was given up is dead: no answer counts, and its
//      number is never used again.
//  11  Of the answers to a claim the newest earlier round is kept: the dead node sent for
//      at most t_k + L - t_checkpoint after a checkpoint. A draining holder reports it itself.
//
//   phase \ event | claim    | round due | majority | lapse | begin_draining | end
//   --------------+----------+-----------+----------+-------+----------------+-----
//   idle          | claiming | XXX       | ignored  | -     | XXX            | -
//   claiming      | claiming | claim     | holding  | -     | XXX            | idle
//   holding       | XXX      | renewal   | holding  | idle  | draining       | idle
//   draining      | XXX      | renewal   | draining | idle  | draining       | idle
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "cluster/lease/messages.hpp"
#include "cluster/lease/timing.hpp"

namespace vpnha::lease {

enum class Phase : std::uint8_t { idle, claiming, holding, draining };

[[nodiscard]] std::string_view to_string(Phase phase);

// How far beyond a checkpoint the counters of the epoch before may have run.
struct Margin {
    enum class Kind : std::uint8_t {
        none,         // No node served before.
        handed_over,  // A draining holder sent until `until`, by its own report.
        bounded,      // It sent until `until`, on its own clock.
        largest,      // Not known.
    };
    Kind kind = Kind::none;
    Epoch epoch;  // The times below are of its node's clock.
    TimePoint until{};
    Checkpoint newest;  // Confirmed by standbys at that time.
    friend bool operator==(const Margin&, const Margin&) = default;

    // For how long its counters may have run beyond those of `newest`; nullopt: unknown.
    [[nodiscard]] std::optional<Duration> run_on() const;
};

class Holder {
  public:
    struct OpenRound {
        std::uint64_t number = 0;
        TimePoint sent_at{};
        Duration lease{};
        std::vector<NodeId> answered;
        friend bool operator==(const OpenRound&, const OpenRound&) = default;
    };
    struct State {
        Phase phase = Phase::idle;
        Epoch claimed;              // Durable: the highest that this node ever claimed.
        Epoch seen;                 // The highest that voters reported as granted.
        std::optional<Epoch> dead;  // The last one that ended here; sent with every round.
        std::uint64_t number = 0;   // k of the newest round.
        TimePoint deadline{};
        TimePoint next_round_at{};
        TimePoint claiming_since{};  // Without an answered renewal.
        TimePoint lapsed_at{};       // The last lease that ended by itself.
        TimePoint granted_at{};
        bool renewed = false;  // Since then.
        TimePoint draining_until{};
        TimePoint asked_until{};  // The latest end of a lease that a round of this epoch requested.
        std::vector<OpenRound> rounds;
        Before before;         // The newest in the answers to the claim.
        bool unknown = false;  // One of the voters did not know.
        Epoch elsewhere;       // The highest that they named.
        // The nodes alone that have answered were no majority.
        bool by_witness = false;
        // Another node sent a round in that epoch; until then it may serve.
        Epoch other;
        TimePoint other_until{};
        bool often = false;  // Rounds come twice as often.
        std::optional<Handover> handover;
        friend bool operator==(const State&, const State&) = default;
    };

    Holder(const Timing& timing, const Epoch& claimed);

    // Claims an epoch above `floor` and above all that this node knows of.
    void claim(NodeId self, const Epoch& floor, TimePoint now);
    [[nodiscard]] bool round_due(TimePoint now) const;
    // The next round; `voters` and the rest are the engine's.
    [[nodiscard]] Round open_round(Instance instance, TimePoint now);
    // A vote for a round. True when a majority has answered it, and the deadline has moved.
    [[nodiscard]] bool count(NodeId from, const Answer& answer, Instance instance,
                             const Voters& voters, TimePoint now);
    // The epoch in a voter's refusal.
    void on_granted_elsewhere(const Epoch& granted);
    // 20: another node may serve in that epoch until then; this node does not.
    void on_held_elsewhere(const Epoch& epoch, TimePoint until);
    void on_released_elsewhere(const Epoch& epoch);
    [[nodiscard]] bool other_may_speak(TimePoint now) const { return now < state_.other_until; }
    // Another claim is needed: this one is below an epoch that a voter has granted.
    [[nodiscard]] bool outbid() const;
    void begin_draining(TimePoint now);
    void cancel_draining();
    // Its lease has run out; end() follows.
    void note_lapse(TimePoint now);
    // The epoch is dead.
    void end();
    // The list of voters has changed: earlier rounds do not count.
    void restart_rounds(TimePoint now);
    // No round was sent, its epoch is not on the disk: it continues to claim, a round later.
    void unsay(TimePoint now);
    // It sends no round before the promises to another claim, of that L, have ended; earlier rounds
    // do not count.
    void stand_aside(Duration lease, TimePoint now);
    // Rounds from now on use another L, as far as rule 3 permits.
    void resize(const Timing& timing) { timing_ = timing; }
    // Each vote that is left is needed: one round more may be lost.
    void ask_often(bool often) { state_.often = often; }
    // The next round is due now.
    void hurry(TimePoint now);

    [[nodiscard]] Phase phase() const { return state_.phase; }
    [[nodiscard]] bool serving() const {
        return state_.phase == Phase::holding || state_.phase == Phase::draining;
    }
    [[nodiscard]] const Epoch& epoch() const { return state_.claimed; }
    // For how long it has claimed without an answered renewal. If its own lease had lapsed,
    // increased by the difference of `unheld` and Timing::unheld_lapsed.
    [[nodiscard]] Duration in_vain(TimePoint now) const { return now - state_.claiming_since; }
    // Over: nothing more is to be sent in this epoch.
    [[nodiscard]] bool lapsed(TimePoint now) const { return serving() && now >= state_.deadline; }
    [[nodiscard]] Margin margin() const;
    [[nodiscard]] const Timing& timing() const { return timing_; }
    [[nodiscard]] const State& state() const { return state_; }
    friend bool operator==(const Holder&, const Holder&) = default;

  private:
    void note(NodeId from, const Answer& answer);
    // A majority has answered that round. 20: if it needs a witness's vote, with this node's own; a
    // claim not while another node may serve.
    [[nodiscard]] bool is_answered(const OpenRound& open, const Voters& voters,
                                   TimePoint now) const;

    Timing timing_;
    State state_;
};

}  // namespace vpnha::lease
