// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon's event loop: libqb's, with closures for callbacks and CLOCK_BOOTTIME for time. One
// thread; every callback runs in run().
#pragma once

#include <functional>
#include <memory>

#include "base/time.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

class QbLoop {
  public:
    using Callback = std::function<void()>;

    QbLoop();
    ~QbLoop();
    QbLoop(const QbLoop&) = delete;
    QbLoop& operator=(const QbLoop&) = delete;

    enum class Priority { normal, high };

    // `on_readable` runs whenever `fd` is readable, hung up or in error. The fd stays the caller's.
    // High: before the others of a turn, like timers.
    Result<void> watch(int fd, Callback on_readable, Priority priority = Priority::normal);
    // From within the fd's own callback too. Unknown fds are ignored.
    void unwatch(int fd);

    // Replaces the timer of that name; runs once. A time in the past runs at the next turn.
    void set_timer(int name, TimePoint at, Callback on_time);
    void cancel_timer(int name);

    void on_signal(int signal_number, Callback on_signal);

    void run();
    void stop();

    [[nodiscard]] static TimePoint now();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace vpnha::adapters
