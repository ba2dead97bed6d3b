// SPDX-License-Identifier: GPL-2.0-or-later
// A program that outlives the call of the agent that started it. A file has its pid and its start
// time. The caller holds a lock meanwhile.
#pragma once

#include <optional>
#include <string>

#include "host/os/process.hpp"

namespace vpnha::adapters {

class DetachedProgram {
  public:
    explicit DetachedProgram(std::string file) : file_(std::move(file)) {}

    // nullopt: it has ended, or was never started.
    [[nodiscard]] std::optional<Process> process() const;
    // True: it did not run, and was started.
    Result<bool> ensure(const Command& command) const;
    // By SIGKILL; ending a process that is gone is a success.
    Result<void> end() const;

  private:
    std::string file_;
};

}  // namespace vpnha::adapters
