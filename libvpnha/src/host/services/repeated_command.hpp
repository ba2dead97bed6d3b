// SPDX-License-Identifier: GPL-2.0-or-later
// A command that is repeated while a state lasts, such as one that moves an address by a cloud's
// API: a single call may be lost, or overtaken by that of the old node.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "base/time.hpp"
#include "host/os/unique_fd.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

class RepeatedCommand {
  public:
    struct Pace {
        std::chrono::milliseconds again{30'000};    // After a success.
        std::chrono::milliseconds retry{2'000};     // After a failure.
        std::chrono::milliseconds timeout{20'000};  // It is killed then, which is a failure.
    };

    // Without arguments nothing is run.
    explicit RepeatedCommand(std::vector<std::string> arguments, Pace pace)
        : arguments_(std::move(arguments)), pace_(pace) {}
    ~RepeatedCommand() { end(); }
    RepeatedCommand(const RepeatedCommand&) = delete;
    RepeatedCommand& operator=(const RepeatedCommand&) = delete;

    // Begins a run when one is due. If it is not wanted, a pending run is killed.
    void turn(bool is_wanted, TimePoint now);
    // The error of the last run that has ended; empty before the first one.
    [[nodiscard]] const std::string& failure() const { return failure_; }

  private:
    void begin();
    void end();

    std::vector<std::string> arguments_;
    Pace pace_;
    std::string failure_;
    TimePoint due_{};
    UniqueFd stop_;  // An eventfd of the run under way.
    std::thread run_;
    std::atomic<bool> has_ended_ = false;
    Result<int> ended_{0};  // Of the thread, until has_ended_.
};

}  // namespace vpnha::adapters
