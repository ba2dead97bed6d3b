// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/lease/lease_saves.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace vpnha::node {

namespace {

constexpr Duration kProbe = std::chrono::seconds(60);
constexpr Duration kProbeFailed = std::chrono::milliseconds(250);

bool opens_gate(const lease::Effect& effect) {
    const auto* gate = std::get_if<lease::SetDeadline>(&effect);
    return gate != nullptr && gate->deadline != TimePoint{};
}

// Such a refusal depends on nothing that must be saved.
bool is_refusal_for_the_disk(const lease::Effect& effect) {
    const auto* const send = std::get_if<lease::Send>(&effect);
    const auto* const refusal =
        send == nullptr ? nullptr : std::get_if<lease::Refusal>(&send->message);
    return refusal != nullptr && refusal->reason == lease::Verdict::cannot_save;
}

bool is_grant(const lease::Effect& effect) {
    return std::holds_alternative<lease::Granted>(effect);
}

}  // namespace

LeaseSaves::LeaseSaves(std::optional<lease::Durable> on_disk, TimePoint now)
    : on_disk_(std::move(on_disk)), probed_at_(now) {}

std::optional<LeaseSaves::Save> LeaseSaves::probe(TimePoint now) {
    if (now < next_probe()) {
        return std::nullopt;
    }
    probed_at_ = now;
    // A save that is under way shows the same.
    return on_disk_ && unsaved_.empty() ? std::optional(Save{*on_disk_, ++tickets_}) : std::nullopt;
}

TimePoint LeaseSaves::next_probe() const {
    return probed_at_ + (work_ ? kProbe : kProbeFailed);
}

bool LeaseSaves::must_wait(const lease::Effect& effect) const {
    if (unsaved_.empty() || is_refusal_for_the_disk(effect)) {
        return false;
    }
    // The receiver of the grant decides whether the gate may open.
    const bool grant_waits =
        std::any_of(unsaved_.begin(), unsaved_.end(), [](const Unsaved& unsaved) {
            return std::any_of(unsaved.effects.begin(), unsaved.effects.end(), is_grant);
        });
    if (opens_gate(effect) && grant_waits) {
        return true;
    }
    const auto* send = std::get_if<lease::Send>(&effect);
    const bool is_renewal =
        opens_gate(effect) ||
        (send != nullptr && std::holds_alternative<lease::Round>(send->message));
    if (is_renewal && on_disk_) {
        // A mark on another node does not concern this node's own lease.
        const lease::Durable& newest = unsaved_.back().save.durable;
        return newest.claimed != on_disk_->claimed || newest.granted != on_disk_->granted ||
               newest.voters != on_disk_->voters;
    }
    return is_renewal || send != nullptr || is_grant(effect);
}

void LeaseSaves::leave_out_unsaved_marks(lease::Effect& effect) const {
    auto* const send = std::get_if<lease::Send>(&effect);
    auto* const round = send == nullptr ? nullptr : std::get_if<lease::Round>(&send->message);
    if (round == nullptr || unsaved_.empty() || !on_disk_) {
        return;
    }
    const lease::Marks& saved = on_disk_->marks;
    std::erase_if(round->marks, [&saved](const lease::Mark& mark) {
        return std::find(saved.begin(), saved.end(), mark) == saved.end();
    });
}

LeaseSaves::Orders LeaseSaves::take(lease::Effects&& from) {
    Orders orders;
    for (lease::Effect& effect : from) {
        if (auto* save = std::get_if<lease::SaveDurable>(&effect)) {
            orders.saves.push_back({std::move(save->durable), ++tickets_});
            unsaved_.push_back({orders.saves.back(), {}});
            continue;
        }
        const bool shuts =
            std::holds_alternative<lease::Leave>(effect) ||
            (std::holds_alternative<lease::SetDeadline>(effect) && !opens_gate(effect));
        const bool ends = std::holds_alternative<lease::Ended>(effect);
        for (Unsaved& unsaved : unsaved_) {
            std::erase_if(unsaved.effects, [&](const lease::Effect& waiting) {
                return ((shuts || ends) && opens_gate(waiting)) || (ends && is_grant(waiting));
            });
        }
        if (must_wait(effect)) {
            unsaved_.back().effects.emplace_back(std::move(effect));
        } else {
            leave_out_unsaved_marks(effect);
            orders.ready.emplace_back(std::move(effect));
        }
    }
    return orders;
}

LeaseSaves::Outcome LeaseSaves::on_saved(std::uint64_t ticket, bool succeeded) {
    Outcome outcome;
    const auto drop = [&outcome](const Unsaved& unsaved) {
        outcome.lost_grant = outcome.lost_grant ||
                             std::any_of(unsaved.effects.begin(), unsaved.effects.end(), is_grant);
    };
    while (!unsaved_.empty() && unsaved_.front().save.ticket <= ticket) {
        Unsaved& saved = unsaved_.front();
        if (succeeded) {
            on_disk_ = std::move(saved.save.durable);
            std::move(saved.effects.begin(), saved.effects.end(),
                      std::back_inserter(outcome.ready));
        } else {
            drop(saved);
        }
        unsaved_.pop_front();
    }
    if (!succeeded) {
        ++failed_;
        // Nothing after it was sent, so nothing must be withdrawn. Messages may be lost, and the
        // lease repeats all that was not reported to it.
        for (Unsaved& unsaved : unsaved_) {
            drop(unsaved);
            unsaved.effects.clear();
        }
    }
    outcome.changed = succeeded != std::exchange(work_, succeeded);
    return outcome;
}

}  // namespace vpnha::node
