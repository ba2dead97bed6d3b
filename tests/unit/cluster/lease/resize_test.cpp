// SPDX-License-Identifier: GPL-2.0-or-later
// A lease whose L changes while it is held: what the holder may do is covered by what the voters
// promised and remember, in whatever order rounds and answers arrive.
#include <gtest/gtest.h>

#include <random>

#include "cluster/lease/holder.hpp"
#include "cluster/lease/voter.hpp"
#include "unit/cluster/lease/cluster.hpp"

namespace vpnha::lease {
namespace resize_test {

const Voters kVoters{{{{0, NodeId{1}}, 0}, nodes_to(3)}, std::nullopt};

Timing exact() {
    Timing timing;  // Clocks agree: a promise is as long as L, to the nanosecond.
    timing.rate_ppm = 0;
    timing.grain = Duration{};
    return timing;
}

class ResizeTest : public ::testing::TestWithParam<unsigned> {
  protected:
    ResizeTest() : random_(GetParam()) { holder_.claim(NodeId{1}, {}, now_); }

    unsigned draw(unsigned below) { return static_cast<unsigned>(random_() % below); }
    void send_round() {
        Round round = holder_.open_round(sender_of(1).instance, now_);
        round.voters = kVoters;
        for (unsigned voter = 0; voter < 3; ++voter) {
            if (draw(4) != 0) {
                rounds_.push_back({voter, round});
            }
        }
    }
    void deliver_round() {
        const auto at = rounds_.begin() + draw(static_cast<unsigned>(rounds_.size()));
        if (voters_.at(at->voter).judge(sender_of(1), at->round, kVoters, now_) ==
            Verdict::answered) {
            answers_.push_back({at->voter, at->round});
        }
        if (draw(4) != 0) {  // Else it arrives once more.
            rounds_.erase(at);
        }
    }
    void deliver_answer() {
        const auto at = answers_.begin() + draw(static_cast<unsigned>(answers_.size()));
        const Answer answer{at->round.id, {}, std::nullopt};
        static_cast<void>(
            holder_.count(NodeId{at->voter + 1}, answer, sender_of(1).instance, kVoters, now_));
        answers_.erase(at);
    }
    void step() {
        now_ += milliseconds(draw(12));
        const unsigned event = draw(10);
        if (event == 0) {
            holder_.resize(exact().sized(milliseconds(60 + 10 * draw(25))));
        } else if (holder_.round_due(now_)) {
            send_round();
        } else if (event < 6 && !rounds_.empty()) {
            deliver_round();
        } else if (!answers_.empty()) {
            deliver_answer();
        }
    }
    // Whoever is granted the next epoch asks two voters: one of them has promised until the
    // deadline, and the newest round that they name allows this holder as much.
    void expect_covered() const {
        for (unsigned left_out = 0; left_out < 3; ++left_out) {
            TimePoint promised{};
            Received newest;
            for (unsigned voter = 0; voter < 3; ++voter) {
                if (voter != left_out) {
                    const Voter::State& state = voters_.at(voter).state();
                    promised = std::max(promised, state.promise.until);
                    if (state.received &&
                        std::pair(state.received->epoch, state.received->number) >=
                            std::pair(newest.epoch, newest.number)) {
                        newest = *state.received;
                    }
                }
            }
            ASSERT_GE(promised, holder_.state().deadline);
            ASSERT_GE(newest.until, holder_.state().deadline);
        }
    }

    struct Packet {
        unsigned voter;
        Round round;
    };
    std::mt19937 random_;
    TimePoint now_{std::chrono::hours(1)};
    Holder holder_{exact(), {}};
    std::vector<Voter> voters_{3, Voter(exact(), {}, {}, {}, {}, TimePoint{})};
    std::vector<Packet> rounds_;
    std::vector<Packet> answers_;
};

TEST_P(ResizeTest, TheVotersCoverWhatTheHolderMayDo) {
    TimePoint deadline{};
    int checks = 0;
    for (int i = 0; i < 2000; ++i) {
        step();
        if (holder_.lapsed(now_)) {
            holder_.end();
            holder_.claim(NodeId{1}, {}, now_);
        }
        if (holder_.serving()) {
            ++checks;
            ASSERT_GE(holder_.state().deadline, deadline);  // The gate's does not go back, either.
            deadline = holder_.state().deadline;
            expect_covered();
        }
    }
    EXPECT_GT(checks, 100);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ResizeTest, ::testing::Range(0U, 200U));

}  // namespace resize_test
}  // namespace vpnha::lease
