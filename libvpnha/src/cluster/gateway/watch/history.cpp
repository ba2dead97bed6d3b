// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/watch/history.hpp"

namespace vpnha::node {

using takeover::Step;

void History::note_role(std::string_view role, TimePoint now) {
    if (role != role_) {
        role_ = role;
        role_since_ = now;
    }
}

void History::note_word(const Epoch& epoch, TimePoint now) {
    if (!word_ || epoch >= word_->epoch) {
        word_ = Word{epoch, now};
    }
}

void History::note_holder(const Epoch& epoch, TimePoint now) {
    if (!holders_.empty() && epoch <= holders_.back().epoch) {
        return;
    }
    if (!holders_.empty() && epoch.node == holders_.back().epoch.node) {
        holders_.back().epoch = epoch;
        return;
    }
    holders_.push_back({epoch, now});
    if (holders_.size() > kHoldersMax) {
        holders_.pop_front();
    }
}

void History::on_message(const lease::Sender& sender, const lease::Message& message,
                         TimePoint now) {
    const auto* const round = std::get_if<lease::Round>(&message);
    const auto* const answer = std::get_if<lease::Answer>(&message);
    if (round != nullptr && round->held && round->id.epoch.node == sender.node) {
        note_word(round->id.epoch, now);
        note_holder(round->id.epoch, now);
    } else if (answer != nullptr && answer->handover) {
        note_word(answer->handover->released, now);
    }
}

void History::on_step(Step step, TimePoint now) {
    switch (step) {
        case Step::grant:
        case Step::warm_counters:
        case Step::claim:
        case Step::add_addresses:
        case Step::open_gate:
        case Step::announce:
        case Step::resume_sessions:
        case Step::activate_services:
        case Step::await_group:
            break;
        case Step::shut_gate:
            running_.reset();
            if (last_) {
                note_word(last_->epoch, now);
            }
            return;
        case Step::mute_sessions:
        case Step::deactivate_services:
        case Step::remove_addresses:
        case Step::reset_services:
        case Step::install_hot:
            return;
    }
    if (step == Step::grant || !running_) {
        running_.emplace();
    } else {
        end_phase(now);
    }
    running_->step = step;
    running_->step_at = now;
}

void History::end_phase(TimePoint now) {
    running_->takeover.phases.emplace_back(running_->step, now - running_->step_at);
    if (running_->takeover.at != TimePoint{}) {
        last_ = running_->takeover;
    }
}

void History::on_opened(const Epoch& epoch, TimePoint now) {
    note_holder(epoch, now);
    if (!running_) {
        return;
    }
    Takeover& takeover = running_->takeover;
    takeover.at = now;
    takeover.epoch = epoch;
    if (word_) {
        takeover.from = word_->epoch.node;
        takeover.silence = now - word_->at;
    }
    last_ = takeover;
    ++takeovers_;
}

void History::on_finished(TimePoint now) {
    if (running_) {
        end_phase(now);
        running_.reset();
    }
}

}  // namespace vpnha::node
