// SPDX-License-Identifier: GPL-2.0-or-later
// What the lease wants done, and the disk that it rests on. A save takes milliseconds on a good
// disk and seconds on a bad one, so vpnhad's loop does not wait for it: what is said and opened
// only when the save is through waits here. Shutting a gate, and falling silent, never wait.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "node/gateway_node.hpp"

namespace vpnha::node {

namespace {

bool opens_gate(const lease::Effect& effect) {
    const auto* gate = std::get_if<lease::SetDeadline>(&effect);
    return gate != nullptr && gate->deadline != TimePoint{};
}

}  // namespace

bool GatewayNode::rests_on_unsaved(const lease::Effect& effect) const {
    if (unsaved_.empty()) {
        return false;
    }
    const auto* send = std::get_if<lease::Send>(&effect);
    const bool is_renewal =
        opens_gate(effect) ||
        (send != nullptr && std::holds_alternative<lease::Round>(send->message));
    if (is_renewal && on_disk_) {
        // A mark on another node is no business of this one's own lease.
        const lease::Durable& newest = unsaved_.back().durable;
        return newest.claimed != on_disk_->claimed || newest.granted != on_disk_->granted ||
               newest.voters != on_disk_->voters;
    }
    return is_renewal || send != nullptr || std::holds_alternative<lease::Granted>(effect);
}

void GatewayNode::take(lease::Effects&& from, TimePoint now, Effects& effects) {
    lease::Effects ready;
    for (lease::Effect& effect : from) {
        if (auto* save = std::get_if<lease::SaveDurable>(&effect)) {
            unsaved_.push_back({++tickets_, save->durable, {}});
            effects.emplace_back(SaveLease{settings_.id, std::move(save->durable), tickets_});
            continue;
        }
        const bool shuts =
            std::holds_alternative<lease::SetDeadline>(effect) && !opens_gate(effect);
        const bool ends = std::holds_alternative<lease::Ended>(effect);
        for (Unsaved& unsaved : unsaved_) {
            std::erase_if(unsaved.effects, [&](const lease::Effect& waiting) {
                return ((shuts || ends) && opens_gate(waiting)) ||
                       (ends && std::holds_alternative<lease::Granted>(waiting));
            });
        }
        (rests_on_unsaved(effect) ? unsaved_.back().effects : ready)
            .emplace_back(std::move(effect));
    }
    carry_out(std::move(ready), now, effects);
}

void GatewayNode::on_lease_saved(std::uint64_t ticket, const Result<void>& result, TimePoint now,
                                 Effects& effects) {
    lease::Effects ready;
    bool untold = false;
    const auto drop = [&untold](const Unsaved& unsaved) {
        untold = untold || std::any_of(unsaved.effects.begin(), unsaved.effects.end(),
                                       [](const lease::Effect& effect) {
                                           return std::holds_alternative<lease::Granted>(effect);
                                       });
    };
    while (!unsaved_.empty() && unsaved_.front().ticket <= ticket) {
        Unsaved& saved = unsaved_.front();
        if (result) {
            on_disk_ = std::move(saved.durable);
            std::move(saved.effects.begin(), saved.effects.end(), std::back_inserter(ready));
        } else {
            drop(saved);
        }
        unsaved_.pop_front();
    }
    if (!result) {
        ++counters_.saves_failed;
        // Nothing behind it was said, so nothing need be taken back. Messages may be lost, and the
        // lease begins anew what it has not been told of.
        for (Unsaved& unsaved : unsaved_) {
            drop(unsaved);
            unsaved.effects.clear();
        }
        lease_.on_not_saved(on_disk_, untold, now);
    }
    if (result.has_value() != std::exchange(saves_, result.has_value())) {
        effects.emplace_back(
            result
                ? Log{Level::info, fmt::format("the lease is saved again event=saved {}", tag())}
                : Log{Level::error,
                      fmt::format("this node does not vote, and is granted nothing, until it can "
                                  "save what it says event=not-saved {}: {}",
                                  tag(), result.error().detail)});
    }
    carry_out(std::move(ready), now, effects);
}

}  // namespace vpnha::node
