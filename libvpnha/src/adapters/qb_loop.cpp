// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/qb_loop.hpp"

#include <poll.h>
#include <qb/qbloop.h>

#include <algorithm>
#include <ctime>
#include <map>

#include "base/assert.hpp"

namespace vpnha::adapters {

namespace {

struct Timer {
    qb_loop_timer_handle handle = 0;
    QbLoop::Callback callback;
};

}  // namespace

struct QbLoop::State {
    qb_loop_t* loop = qb_loop_create();
    // Shared, because a callback may unwatch its own fd while it runs.
    std::map<int, std::shared_ptr<Callback>> watched;
    std::map<int, std::unique_ptr<Timer>> timers;
    std::map<int, Callback> signals;
};

QbLoop::QbLoop() : state_(std::make_unique<State>()) {
    VPNHA_ASSERT(state_->loop != nullptr);
}

QbLoop::~QbLoop() {
    while (!state_->watched.empty()) {
        unwatch(state_->watched.begin()->first);
    }
    while (!state_->timers.empty()) {
        cancel_timer(state_->timers.begin()->first);
    }
    qb_loop_destroy(state_->loop);
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
    state_->watched[fd] = std::make_shared<Callback>(std::move(on_readable));
    return {};
}

void QbLoop::unwatch(int fd) {
    if (state_->watched.erase(fd) != 0) {
        qb_loop_poll_del(state_->loop, fd);
    }
}

void QbLoop::set_timer(int name, TimePoint at, Callback on_time) {
    cancel_timer(name);
    const auto left = std::max(at - now(), Duration::zero());
    auto timer = std::make_unique<Timer>();
    timer->callback = std::move(on_time);
    struct Due {
        static void run(void* data) {
            // The callback may set the timer of this name again, which frees this one.
            const Callback callback = std::move(static_cast<Timer*>(data)->callback);
            static_cast<Timer*>(data)->handle = 0;
            callback();
        }
    };
    const int error =
        qb_loop_timer_add(state_->loop, QB_LOOP_HIGH, static_cast<std::uint64_t>(left.count()),
                          timer.get(), &Due::run, &timer->handle);
    VPNHA_ASSERT(error == 0);
    state_->timers[name] = std::move(timer);
}

void QbLoop::cancel_timer(int name) {
    const auto found = state_->timers.find(name);
    if (found == state_->timers.end()) {
        return;
    }
    if (found->second->handle != 0) {
        qb_loop_timer_del(state_->loop, found->second->handle);
    }
    state_->timers.erase(found);
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
    qb_loop_run(state_->loop);
}
void QbLoop::stop() {
    qb_loop_stop(state_->loop);
}

TimePoint QbLoop::now() {
    timespec time{};
    clock_gettime(CLOCK_BOOTTIME, &time);
    return TimePoint(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

}  // namespace vpnha::adapters
