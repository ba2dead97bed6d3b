// SPDX-License-Identifier: GPL-2.0-or-later
// A command that is run again and again while something lasts, as the one that moves an address by
// the API of a cloud: a single call may be lost, or overtaken by that of the node before.
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

    // Begins a run when one is due. Where it is not wanted, one that is under way is killed.
    void turn(bool is_wanted, TimePoint now);
    // Of the last run that has ended, and empty before the first one: what went wrong.
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
