// SPDX-License-Identifier: GPL-2.0-or-later
#include "pptp/ladder.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "pptp/gre.hpp"

namespace vpnha::pptp {

namespace {

using namespace std::chrono_literals;

constexpr int kRungs = 8;
constexpr int kCopies = 3;
constexpr std::uint32_t kStep = 512;
constexpr std::uint32_t kRange = kRungs * kStep;
constexpr int kAttempts = 3;

constexpr Duration kCopyPause = 20ms;
constexpr Duration kRungZeroWait = 60ms;
// As long as nobody knows the path.
constexpr Duration kRungZeroWaitMax = 300ms;
constexpr Duration kPathMax = 400ms;
// pptp-linux' 0.3 s, and some.
constexpr Duration kAttemptWait = 500ms;
// A lower rung's reply may be overtaken by so much.
constexpr Duration kLowerWait = 20ms;
constexpr Duration kSilenceMax = 60s;

// Far from those of a link keeper, which begin at 0x80, and from pppd's, which begin at 0.
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
    const auto step = static_cast<std::uint32_t>(rung) * kStep;
    return base_ + range_ * kRange + step - (kCopies - 1) + static_cast<std::uint32_t>(copy);
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

void Ladder::on_path(Duration time, TimePoint now) {
    path_ = time;
    if (!single_ && !on_rungs_ && copies_ == kCopies) {
        next_ = std::max(now, zero_at_ + rung_wait());
    }
}

void Ladder::say(int rung, int copy, std::vector<Rung>& rungs) {
    rungs.push_back({number_of(rung, copy), id_of(rung)});
    if (ahead_of(rungs.back().number, top_) > 0) {
        top_ = rungs.back().number;
    }
}

void Ladder::say_all(TimePoint now, std::vector<Rung>& rungs) {
    on_rungs_ = true;
    if (heard_ && attempts_ == kAttempts) {
        ++range_;
        attempts_ = 0;
    }
    attempts_ = std::min(attempts_ + 1, kAttempts);
    heard_ = false;
    for (int rung = 1; rung <= kRungs; ++rung) {
        for (int copy = 0; copy < kCopies; ++copy) {
            say(rung, copy, rungs);
        }
    }
    next_ = now + kAttemptWait + rung_wait();
}

std::vector<Ladder::Rung> Ladder::on_time(TimePoint now) {
    std::vector<Rung> rungs;
    if (now < next_ || lowest_) {
        return rungs;
    }
    if (single_) {
        say(*single_, copies_ % kCopies, rungs);
        ++copies_;
        next_ = now + rung_wait();
    } else if (!on_rungs_ && copies_ < kCopies) {
        zero_at_ = copies_ == 0 ? now : zero_at_;
        say(0, copies_++, rungs);
        next_ = copies_ < kCopies ? now + kCopyPause : zero_at_ + rung_wait();
    } else {
        say_all(now, rungs);
    }
    return rungs;
}

void Ladder::on_heard(std::optional<std::uint32_t> acknowledged, bool is_proven, TimePoint now) {
    heard_ = true;
    acknowledges_ = acknowledges_ || acknowledged;
    if (!acknowledged || ahead_of(*acknowledged, base_) <= 0) {
        return;
    }
    if (ahead_of(*acknowledged, top_) <= 0) {
        // One of ours, or one of those between that were sent before.
        if (!covered_ || ahead_of(*acknowledged, *covered_) > 0) {
            covered_ = acknowledged;
        }
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
    refused_ = 0;
    covered_.reset();
    lowest_.reset();
    next_ = now;
}

void Ladder::on_echo_reply(std::uint8_t id, TimePoint now) {
    for (int rung = 0; rung <= kRungs; ++rung) {
        const bool was_said = rung == 0 ? copies_ > 0 || on_rungs_ : on_rungs_ || single_ >= rung;
        if (id != id_of(rung) || !was_said) {
            continue;
        }
        if (acknowledges_ && (!covered_ || ahead_of(*covered_, number_of(rung, 0)) < 0)) {
            on_refused(rung, now);
            return;
        }
        if (!lowest_) {
            answered_ = now;
        }
        // It is too late to ask one by one: a peer that answers what it refused may have taken any.
        const bool is_any = on_rungs_ && (refused_ & ~(1U << rung)) != 0;
        lowest_ = std::min(is_any ? kRungs : rung, lowest_.value_or(kRungs));
    }
}

void Ladder::on_refused(int rung, TimePoint now) {
    if (on_rungs_) {
        refused_ |= 1U << rung;
        return;
    }
    if (rung < single_.value_or(0)) {
        return;
    }
    single_ = rung + 1;
    if (rung == kRungs) {
        ++range_;
        single_ = 1;
    }
    copies_ = 0;
    next_ = now + kCopyPause;
}

std::optional<Ladder::Position> Ladder::position(TimePoint now) const {
    // Nothing is below rung 0, but for what it was not waited for.
    if (!lowest_ || (*lowest_ != 0 && now < answered_ + kLowerWait)) {
        return std::nullopt;
    }
    const std::uint64_t missed =
        *lowest_ == 0 ? 0 : range_ * kRange + static_cast<std::uint64_t>(*lowest_) * kStep;
    return Position{top_ + 1, acknowledged_ + missed, *lowest_, answered_ - begun_};
}

std::optional<TimePoint> Ladder::next_deadline() const {
    return lowest_ ? answered_ + kLowerWait : next_;
}

bool Ladder::is_hopeless(TimePoint now) const {
    return !lowest_ && now - begun_ >= kSilenceMax;
}

}  // namespace vpnha::pptp
