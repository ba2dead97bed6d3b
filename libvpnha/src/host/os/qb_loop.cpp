// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/qb_loop.hpp"

#include <poll.h>
#include <qb/qbloop.h>

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "base/assert.hpp"
#include "host/os/boot_clock.hpp"
#include "host/os/boot_timer.hpp"

namespace vpnha::adapters {

namespace {

constexpr int kTimersOfAShare = 10'000;

struct Timer {
    TimePoint at;
    std::uint64_t number = 0;  // Of timers with one time the one that was set first runs first.
    QbLoop::Callback callback;
};

}  // namespace

struct QbLoop::State {
    State() = default;
    ~State();
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    void unwatch(int fd);

    // libqb's own timers count whole milliseconds, and it polls without a pause for the rest: up to
    // 1 ms of CPU time a timer.
    void run_due();
    void arm();

    qb_loop_t* loop = qb_loop_create();
    BootTimer clock;
    // Shared, because a callback may unwatch its own fd while it runs.
    std::map<int, std::shared_ptr<Callback>> watched;
    std::map<int, Timer> timers;
    std::uint64_t timers_set = 0;
    // The time of `clock`. Never later than the first timer, except while timers run. A wake-up for
    // a timer that is gone costs less than notifying the kernel of each change.
    std::optional<TimePoint> armed;
    bool running_timers = false;
    bool stopped = false;
    std::map<int, Callback> signals;
};

QbLoop::State::~State() {
    while (!watched.empty()) {
        unwatch(watched.begin()->first);
    }
    qb_loop_destroy(loop);
}

void QbLoop::State::unwatch(int fd) {
    if (watched.erase(fd) != 0) {
        qb_loop_poll_del(loop, fd);
    }
}

void QbLoop::State::run_due() {
    const TimePoint until = QbLoop::now();
    std::vector<std::tuple<TimePoint, std::uint64_t, int>> due;
    for (const auto& [name, timer] : timers) {
        if (timer.at <= until) {
            due.emplace_back(timer.at, timer.number, name);
        }
    }
    std::ranges::sort(due);
    running_timers = true;
    for (const auto& [at, number, name] : due) {
        const auto found = timers.find(name);
        if (stopped || found == timers.end() || found->second.number != number) {
            continue;  // An earlier one cancelled it, or set it again: for a later turn.
        }
        const Callback callback = std::move(found->second.callback);
        timers.erase(found);
        callback();
    }
    running_timers = false;
    armed.reset();
    arm();
}

void QbLoop::State::arm() {
    if (running_timers) {
        return;
    }
    std::optional<TimePoint> first;
    for (const auto& [name, timer] : timers) {
        first = first ? std::min(*first, timer.at) : timer.at;
    }
    if (armed && (!first || *armed <= *first)) {
        return;
    }
    armed = first;
    clock.set(first);
}

QbLoop::QbLoop() : state_(std::make_shared<State>()) {
    VPNHA_ASSERT(state_->loop != nullptr);
    const auto watched = watch(
        state_->clock.fd(), [state = state_.get()] { state->run_due(); }, Priority::high);
    VPNHA_ASSERT(watched.has_value());
}

QbLoop::QbLoop(const QbLoop& whole, const NetworkNamespace& network, int number)
    : state_(whole.state_), network_(&network), first_timer_(number * kTimersOfAShare) {
    VPNHA_ASSERT(number > 0);
}

QbLoop::~QbLoop() = default;

QbLoop::Callback QbLoop::within_network(Callback callback) const {
    if (network_ == nullptr) {
        return callback;
    }
    return [network = network_, inner = std::move(callback)] {
        const InNetwork within(*network);
        inner();
    };
}

Result<void> QbLoop::watch(int fd, Callback on_readable, Priority priority) {
    VPNHA_ASSERT(fd >= 0 && !state_->watched.contains(fd));
    const auto dispatch = [](std::int32_t ready, std::int32_t, void* data) -> std::int32_t {
        auto* state = static_cast<State*>(data);
        const auto found = state->watched.find(ready);
        if (found != state->watched.end()) {
            const std::shared_ptr<Callback> callback = found->second;
            (*callback)();
        }
        return 0;
    };
    const int error =
        qb_loop_poll_add(state_->loop, priority == Priority::high ? QB_LOOP_HIGH : QB_LOOP_MED, fd,
                         POLLIN, state_.get(), dispatch);
    if (error != 0) {
        return tl::unexpected(system_error("qb_loop_poll_add", -error));
    }
    state_->watched[fd] = std::make_shared<Callback>(within_network(std::move(on_readable)));
    return {};
}

void QbLoop::unwatch(int fd) {
    state_->unwatch(fd);
}

void QbLoop::set_timer(int name, TimePoint at, Callback on_time) {
    VPNHA_ASSERT(name >= 0 && name < kTimersOfAShare);
    state_->timers.insert_or_assign(
        first_timer_ + name, Timer{at, ++state_->timers_set, within_network(std::move(on_time))});
    state_->arm();
}

void QbLoop::cancel_timer(int name) {
    state_->timers.erase(first_timer_ + name);
}

void QbLoop::on_signal(int signal_number, Callback on_signal) {
    state_->signals[signal_number] = std::move(on_signal);
    const auto dispatch = [](std::int32_t number, void* data) -> std::int32_t {
        static_cast<State*>(data)->signals.at(number)();
        return 0;
    };
    qb_loop_signal_handle handle{};
    const int error = qb_loop_signal_add(state_->loop, QB_LOOP_HIGH, signal_number, state_.get(),
                                         dispatch, &handle);
    VPNHA_ASSERT(error == 0);
}

void QbLoop::run() {
    state_->stopped = false;
    qb_loop_run(state_->loop);
}
void QbLoop::stop() {
    state_->stopped = true;
    qb_loop_stop(state_->loop);
}

TimePoint QbLoop::now() {
    return boot_time();
}

}  // namespace vpnha::adapters
