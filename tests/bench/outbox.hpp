// SPDX-License-Identifier: GPL-2.0-or-later
// Messages on their way to Corosync, with the flow control of daemon/executor.cpp: what the group
// does not take at once waits here, and nothing more is said until it is gone.
#pragma once

#include <deque>
#include <functional>

#include "host/corosync/corosync_group.hpp"
#include "host/os/qb_loop.hpp"

namespace vpnha::bench {

// Names of the timers of one process.
inline constexpr int kOutboxTimer = 1;
inline constexpr int kPartyTimer = 2;
inline constexpr int kLoadTimer = 3;

// What daemon/executor.cpp waits before it tries again, and leaves to others between two turns.
inline constexpr Duration kGroupRetry = std::chrono::milliseconds(2);
inline constexpr Duration kTurn = std::chrono::milliseconds(1);

class Outbox {
  public:
    Outbox(adapters::QbLoop& loop, std::function<void()> on_writable)
        : loop_(loop), on_writable_(std::move(on_writable)) {}

    void set_group(adapters::CorosyncGroup* group) { group_ = group; }
    [[nodiscard]] bool writable() const { return waiting_.empty(); }
    [[nodiscard]] std::uint64_t messages() const { return messages_; }
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

    void send(Bytes message) {
        ++messages_;
        bytes_ += message.size();
        waiting_.push_back(std::move(message));
        if (waiting_.size() == 1) {
            drain();
        }
    }

  private:
    void drain() {
        while (!waiting_.empty()) {
            const Result<bool> sent = group_->send(waiting_.front());
            if (!sent) {
                waiting_.clear();  // Corosync is going away; the listener is told.
                return;
            }
            if (!*sent) {
                loop_.set_timer(kOutboxTimer, loop_.now() + kGroupRetry, [this] {
                    drain();
                    if (waiting_.empty()) {
                        on_writable_();
                    }
                });
                return;
            }
            waiting_.pop_front();
        }
    }

    adapters::QbLoop& loop_;
    std::function<void()> on_writable_;
    adapters::CorosyncGroup* group_ = nullptr;
    std::deque<Bytes> waiting_;
    std::uint64_t messages_ = 0;
    std::uint64_t bytes_ = 0;
};

}  // namespace vpnha::bench
