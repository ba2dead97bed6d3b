// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/worth/planned_move.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace vpnha::node {

namespace {

std::uint32_t microseconds_of(Duration time) {
    const auto count = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
    return static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(count, 0, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace

void PlannedMove::ask(NodeId to, const Epoch& epoch) {
    // While the group accepts nothing, one message is enough.
    std::erase_if(due_,
                  [](const wire::Move& move) { return move.phase == wire::MovePhase::asked; });
    due_.push_back({gateway_, wire::MovePhase::asked, epoch, to});
}

bool PlannedMove::on_asked(NodeId to, const Epoch& epoch, TimePoint now) {
    const bool repeated = asked_ && asked_->to == to && asked_->epoch == epoch;
    asked_ = Asked{to, epoch, now + kMoveLasts};
    if (!repeated) {
        had_.reset();
        silent_since_.reset();
    }
    return !repeated;
}

bool PlannedMove::calls(const Epoch& epoch, TimePoint now) const {
    return asked_ && asked_->to == self_ && asked_->epoch == epoch && now < asked_->until;
}

void PlannedMove::on_time(TimePoint now) {
    if (asked_ && now >= asked_->until) {
        asked_.reset();
    }
}

void PlannedMove::on_opened(const Epoch& epoch) {
    if (takes_) {
        due_.push_back({gateway_, wire::MovePhase::opened, epoch, self_});
    }
}

void PlannedMove::on_taken(const Epoch& epoch, std::uint32_t sessions) {
    takes_ = false;
    ++taken_;
    due_.push_back({gateway_, wire::MovePhase::taken, epoch, self_, 0, sessions});
}

void PlannedMove::on_silent(const Epoch& epoch, TimePoint now) {
    if (had_ && asked_ && asked_->epoch == epoch) {
        silent_since_ = now;
    }
}

PlannedMove::Report& PlannedMove::report_of(const Epoch& epoch, NodeId to) {
    if (!report_ || report_->epoch != epoch) {
        report_ = Report{epoch, to, {}, {}, {}};
    }
    return *report_;
}

void PlannedMove::on_message(NodeId sender, const wire::Move& move, TimePoint now) {
    switch (move.phase) {
        case wire::MovePhase::opened:
            if (silent_since_ && sender == move.to) {
                due_.push_back({gateway_, wire::MovePhase::handed, move.epoch, move.to,
                                microseconds_of(now - *silent_since_), had_.value_or(0)});
                silent_since_.reset();
            }
            break;
        case wire::MovePhase::handed:
            report_of(move.epoch, move.to).silence = std::chrono::microseconds(move.silence_us);
            report_of(move.epoch, move.to).had = move.sessions;
            break;
        case wire::MovePhase::taken:
            report_of(move.epoch, move.to).kept = move.sessions;
            break;
        case wire::MovePhase::asked:
            break;
    }
}

std::vector<wire::Move> PlannedMove::take_due() {
    return std::exchange(due_, {});
}

}  // namespace vpnha::node
