// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/model/ladder.hpp"

#include <algorithm>

#include "protocols/pptp/model/gre.hpp"
#include "protocols/pptp/model/limits.hpp"

namespace vpnha::pptp {

namespace {

using namespace std::chrono_literals;

constexpr int kCopies = 3;
constexpr std::uint32_t kStep = 512;
constexpr int kAttempts = 3;
// Of numbers, each above the last. They repeat after 20 s at least: no queue has them then.
constexpr int kSets = 120;
static_assert(kSets * kCopies < kStep);

constexpr Duration kCopyPause = 20ms;
constexpr Duration kRungZeroWait = 60ms;
// While the path is unknown: a second query for a link-layer address follows after 1 s.
constexpr Duration kRungZeroWaitMax = 1200ms;
constexpr Duration kPathMax = 400ms;
// pptp-linux' 0.3 s, and a reserve.
constexpr Duration kAttemptWait = 500ms;
// A lower rung's reply or an acknowledgement may arrive so much later.
constexpr Duration kLowerWait = 20ms;
constexpr Duration kRungPauseMin = 1ms;
constexpr Duration kRungPauseMax = 20ms;
constexpr Duration kSilenceMax = 60s;

// Far from those of a link endpoint, which begin at 0x80, and from pppd's, which begin at 0.
constexpr std::uint8_t kRungZeroId = 0xa0;
constexpr std::uint8_t kRungZeroIds = 16;
constexpr std::uint8_t kRungZeroStep = 5;  // From one tenure to the next.
constexpr std::uint8_t kRungId = 0xb0;
constexpr std::uint32_t kRangesWithIds = 8;

}  // namespace

std::uint32_t Ladder::number_of(int rung, int copy) const {
    if (rung == 0) {
        return base_ + 1 + static_cast<std::uint32_t>(copy);
    }
    return base_ + (range_ * kRungs + static_cast<std::uint32_t>(rung)) * kStep - (kCopies - 1) +
           static_cast<std::uint32_t>(copy % (kSets * kCopies));
}

std::uint32_t Ladder::highest_number(int rung) const {
    const int copies = on_rungs_         ? attempts_ * kCopies
                       : rung == single_ ? std::max(copies_, kCopies)
                                         : kCopies;
    return number_of(rung, (rung == 0 ? kCopies : std::min(copies, kSets * kCopies)) - 1);
}

bool Ladder::was_emitted(int rung) const {
    if (rung == 0) {
        return copies_ > 0 || on_rungs_ || single_;
    }
    return on_rungs_ ? rung <= copies_ || attempts_ > 1 : rung <= single_.value_or(0);
}

std::uint8_t Ladder::id_of(int rung) const {
    if (rung == 0) {
        return static_cast<std::uint8_t>(kRungZeroId +
                                         (restarts_ + tenure_ * kRungZeroStep) % kRungZeroIds);
    }
    return static_cast<std::uint8_t>(kRungId + (range_ + tenure_) % kRangesWithIds * kRungs +
                                     static_cast<std::uint32_t>(rung) - 1);
}

Duration Ladder::rung_wait() const {
    if (!path_) {
        return kRungZeroWaitMax;
    }
    return std::max<Duration>(kRungZeroWait, 2 * std::min<Duration>(*path_, kPathMax));
}

Duration Ladder::rung_pause() const {
    return std::clamp<Duration>(path_.value_or(kRungPauseMax) / 2, kRungPauseMin, kRungPauseMax);
}

void Ladder::on_path(Duration time, TimePoint now) {
    path_ = time;
    if (!single_ && !on_rungs_ && copies_ == kCopies) {
        // Packets held on the path have arrived with the packet that was answered.
        next_ = std::max(now + kLowerWait, zero_at_ + rung_wait());
    }
}

void Ladder::emit(int rung, int copy, std::vector<Rung>& rungs) {
    rungs.push_back({number_of(rung, copy), id_of(rung)});
    if (ahead_of(rungs.back().number, top_) > 0) {
        top_ = rungs.back().number;
    }
}

void Ladder::emit_next_rung(TimePoint now, std::vector<Rung>& rungs) {
    if (!on_rungs_ || copies_ == kRungs) {
        on_rungs_ = true;
        copies_ = 0;
        if (received_ && attempts_ >= kAttempts) {
            ++range_;
            attempts_ = 0;
            answers_ = {};
        }
        ++attempts_;
        received_ = false;
    }
    ++copies_;
    for (int copy = 0; copy < kCopies; ++copy) {
        emit(copies_, (attempts_ - 1) * kCopies + copy, rungs);
    }
    next_ = now + (copies_ < kRungs ? rung_pause() : kAttemptWait + rung_wait());
}

std::vector<Ladder::Rung> Ladder::on_time(TimePoint now) {
    std::vector<Rung> rungs;
    if (answered_) {
        return rungs;
    }
    if (suspected_ && now >= *suspected_ + kLowerWait) {
        on_refused(now);
    }
    if (suspected_ || now < next_) {
        return rungs;
    }
    if (single_) {
        emit(*single_, copies_, rungs);
        ++copies_;
        next_ = now + rung_wait();
    } else if (!on_rungs_ && copies_ < kCopies) {
        zero_at_ = copies_ == 0 ? now : zero_at_;
        emit(0, copies_++, rungs);
        next_ = copies_ < kCopies ? now + kCopyPause : zero_at_ + rung_wait();
    } else {
        emit_next_rung(now, rungs);
    }
    return rungs;
}

void Ladder::on_received(std::optional<std::uint32_t> number,
                         std::optional<std::uint32_t> acknowledged, bool is_proven, TimePoint now) {
    received_ = true;
    acknowledges_ = acknowledges_ || acknowledged;
    if (!acknowledged || ahead_of(*acknowledged, base_) <= 0) {
        return;
    }
    if (ahead_of(*acknowledged, top_) <= 0) {
        note(number, *acknowledged);
        judge(now);
        return;
    }
    const auto further = static_cast<std::uint32_t>(ahead_of(*acknowledged, base_));
    if (!is_proven || acknowledged_ + further > limits::kPptpPacketsMissedMax) {
        return;
    }
    acknowledged_ += further;
    base_ = *acknowledged;
    top_ = base_;
    begin(now);
}

void Ladder::begin(TimePoint now) {
    ++restarts_;
    on_rungs_ = false;
    single_.reset();
    copies_ = 0;
    attempts_ = 0;
    range_ = 0;
    answers_ = {};
    suspected_.reset();
    answered_.reset();
    next_ = now;
}

void Ladder::note(std::optional<std::uint32_t> number, std::uint32_t acknowledged) {
    // The numbers between those of the ladder were sent before: they prove nothing.
    const auto is_own = [&](int rung) {
        return was_emitted(rung) && ahead_of(acknowledged, number_of(rung, 0)) >= 0 &&
               ahead_of(acknowledged, highest_number(rung)) <= 0;
    };
    int rung = kRungs;
    while (rung >= 0 && !is_own(rung)) {
        --rung;
    }
    if (rung < 0) {
        return;
    }
    answers_[static_cast<std::size_t>(rung)].is_own = true;
    for (; rung >= 0; --rung) {
        Answer& answer = answers_[static_cast<std::size_t>(rung)];
        if (!number) {
            answer.is_acknowledged_apart = true;
        } else if (!answer.acknowledged_by || ahead_of(*number, *answer.acknowledged_by) < 0) {
            answer.acknowledged_by = number;
        }
    }
}

bool Ladder::counts(const Answer& answer) const {
    return answer.number &&
           (!acknowledges_ || answer.is_acknowledged_apart ||
            (answer.acknowledged_by && ahead_of(*answer.number, *answer.acknowledged_by) >= 0));
}

std::optional<int> Ladder::lowest() const {
    bool has_other = false;
    for (int rung = 0; rung <= kRungs; ++rung) {
        const Answer& answer = answers_[static_cast<std::size_t>(rung)];
        if (counts(answer) && (!has_other || answer.is_own)) {
            return rung;
        }
        has_other = has_other || answer.number;
    }
    return std::nullopt;
}

void Ladder::judge(TimePoint now) {
    if (!answered_ && lowest()) {
        answered_ = now;
    }
    const Answer& asked = answers_[static_cast<std::size_t>(single_.value_or(0))];
    if (!on_rungs_ && !suspected_ && asked.number && !counts(asked)) {
        suspected_ = now;
    }
}

void Ladder::on_echo_reply(std::uint32_t number, std::uint8_t id, TimePoint now) {
    for (int rung = 0; rung <= kRungs; ++rung) {
        if (id != id_of(rung) || !was_emitted(rung)) {
            continue;
        }
        Answer& answer = answers_[static_cast<std::size_t>(rung)];
        if (!answer.number || ahead_of(number, *answer.number) < 0) {
            answer.number = number;
        }
    }
    judge(now);
}

void Ladder::on_refused(TimePoint now) {
    suspected_.reset();
    single_ = single_.value_or(0) + 1;
    if (*single_ > kRungs) {
        ++range_;
        single_ = 1;
        answers_ = {};
    }
    copies_ = 0;
    next_ = now;
}

std::optional<Ladder::Position> Ladder::position(TimePoint now) const {
    if (!answered_) {
        return std::nullopt;
    }
    // Nothing is below rung 0, so no lower one has to be awaited.
    const int rung = lowest().value_or(kRungs);
    if (rung != 0 && now < *answered_ + kLowerWait) {
        return std::nullopt;
    }
    const std::uint32_t missed = rung == 0 ? 0 : highest_number(rung) - base_;
    return Position{top_ + 1, acknowledged_ + missed, rung, *answered_ - begun_};
}

std::optional<TimePoint> Ladder::next_deadline() const {
    if (answered_) {
        return *answered_ + kLowerWait;
    }
    return suspected_ ? *suspected_ + kLowerWait : next_;
}

bool Ladder::is_hopeless(TimePoint now) const {
    return !answered_ && now - begun_ >= kSilenceMax;
}

}  // namespace vpnha::pptp
