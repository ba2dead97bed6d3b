// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon's event loop: libqb's, with closures for callbacks and CLOCK_BOOTTIME for time. One
// thread; every callback runs in run().
//
// A share of it is the same loop for work in a network namespace: its callbacks run within that,
// and its timers have separate names.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "base/time.hpp"
#include "host/os/fd_watch.hpp"
#include "host/os/network_descriptor.hpp"

namespace vpnha::adapters {

class QbLoop : public FdWatch {
  public:
    QbLoop();
    // A share of `whole`, which must outlive it, as the network must. `number`: 1 and up, no two
    // shares have the same.
    QbLoop(const QbLoop& whole, const NetworkNamespace& network, int number);
    ~QbLoop() override;
    QbLoop(const QbLoop&) = delete;
    QbLoop& operator=(const QbLoop&) = delete;

    enum class Priority { normal, high };

    Result<void> watch(int fd, Callback on_readable) override {
        return watch(fd, std::move(on_readable), Priority::normal);
    }
    // High: before the others of a turn, like timers.
    Result<void> watch(int fd, Callback on_readable, Priority priority);
    void unwatch(int fd) override;

    // Replaces the timer of that name; runs once. A time in the past runs at the next turn.
    void set_timer(int name, TimePoint at, Callback on_time);
    void cancel_timer(int name);

    void on_signal(int signal_number, Callback on_signal);

    void run();
    void stop();

    [[nodiscard]] static TimePoint now();

  private:
    struct State;
    // In the form that the loop stores.
    [[nodiscard]] Callback within_network(Callback callback) const;

    std::shared_ptr<State> state_;
    const NetworkNamespace* network_ = nullptr;  // Of a share.
    int first_timer_ = 0;
};

}  // namespace vpnha::adapters
