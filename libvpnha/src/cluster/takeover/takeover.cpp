// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/takeover/takeover.hpp"

#include <array>

#include "base/assert.hpp"

namespace vpnha::takeover {

namespace {

constexpr std::array kPromotion{Step::grant,           Step::warm_counters,    Step::claim,
                                Step::add_addresses,   Step::open_gate,        Step::announce,
                                Step::resume_sessions, Step::activate_services};
constexpr std::array kStandIn{Step::warm_counters,   Step::add_addresses,    Step::open_gate,
                              Step::announce,        Step::await_group,      Step::claim,
                              Step::resume_sessions, Step::activate_services};
constexpr std::array kRelease{Step::shut_gate,           Step::mute_sessions,
                              Step::deactivate_services, Step::remove_addresses,
                              Step::reset_services,      Step::install_hot};

// The step after `step` in its order; nullopt after the last one.
template <class Order>
std::optional<Step> after(const Order& order, Step step) {
    for (std::size_t i = 0; i + 1 < order.size(); ++i) {
        if (order[i] == step) {
            return order[i + 1];
        }
    }
    return std::nullopt;
}

}  // namespace

std::string_view to_string(State state) {
    switch (state) {
        case State::standby:
            return "standby";
        case State::taking_over:
            return "taking_over";
        case State::standing_in:
            return "standing_in";
        case State::promoted:
            return "promoted";
        case State::draining:
            return "draining";
        case State::releasing:
            return "releasing";
    }
    return "unknown";
}

std::string_view to_string(Step step) {
    switch (step) {
        case Step::grant:
            return "grant";
        case Step::warm_counters:
            return "warm_counters";
        case Step::claim:
            return "claim";
        case Step::add_addresses:
            return "add_addresses";
        case Step::open_gate:
            return "open_gate";
        case Step::announce:
            return "announce";
        case Step::resume_sessions:
            return "resume_sessions";
        case Step::activate_services:
            return "activate_services";
        case Step::await_group:
            return "await_group";
        case Step::shut_gate:
            return "shut_gate";
        case Step::mute_sessions:
            return "mute_sessions";
        case Step::deactivate_services:
            return "deactivate_services";
        case Step::remove_addresses:
            return "remove_addresses";
        case Step::reset_services:
            return "reset_services";
        case Step::install_hot:
            return "install_hot";
    }
    return "unknown";
}

Next Takeover::run(Step step) {
    running_ = step;
    return Next{step, false, false};
}

Next Takeover::promote() {
    VPNHA_ASSERT(!busy());
    if (serves()) {
        state_ = State::promoted;
        return Next{std::nullopt, true, true};
    }
    state_ = State::taking_over;
    release_wanted_ = false;
    return run(kPromotion.front());
}

Next Takeover::stand_in() {
    VPNHA_ASSERT(state_ == State::standby);
    state_ = State::standing_in;
    release_wanted_ = false;
    return run(kStandIn.front());
}

Next Takeover::demote() {
    switch (state_) {
        case State::standby:
            if (!gate_open_) {
                return Next{std::nullopt, true, true};
            }
            return begin_release();
        case State::taking_over:
        case State::standing_in:
            release_wanted_ = true;
            return Next{};
        case State::releasing:
            return Next{};
        case State::promoted:
        case State::draining:
            state_ = State::draining;
            return Next{std::nullopt, true, true};
    }
    return Next{};
}

Next Takeover::lost() {
    if (state_ == State::taking_over || state_ == State::standing_in) {
        release_wanted_ = true;
    }
    if (!serves()) {
        return Next{};
    }
    return begin_release();
}

Next Takeover::begin_release() {
    state_ = State::releasing;
    return run(kRelease.front());
}

Next Takeover::on_step(bool succeeded) {
    VPNHA_ASSERT(running_.has_value());
    const Step done = *running_;
    running_.reset();
    if (state_ == State::taking_over || state_ == State::standing_in) {
        if (!succeeded || release_wanted_) {
            return begin_release();
        }
        if (const auto next =
                state_ == State::standing_in ? after(kStandIn, done) : after(kPromotion, done)) {
            return run(*next);
        }
        state_ = State::promoted;
        return Next{std::nullopt, true, true};
    }
    VPNHA_ASSERT(state_ == State::releasing);
    if (done == Step::shut_gate) {
        gate_open_ = !succeeded;
    }
    if (const auto next = after(kRelease, done)) {
        return run(*next);
    }
    state_ = State::standby;
    return Next{std::nullopt, true, !gate_open_};
}

}  // namespace vpnha::takeover
