// SPDX-License-Identifier: GPL-2.0-or-later
// A helper program of vpnhad that parses data from outside, in a process without privileges
// (sandbox.hpp). It has an empty environment, no descriptor except /dev/null and its end of a
// MessageSocket, and its own session. It ends with vpnhad, and when its socket is closed.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <utility>

#include "host/os/spawn_rules.hpp"
#include "host/os/unique_fd.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

class HelperProcess {
  public:
    // The number of the program's end of the sockets.
    static constexpr int kSocket = SpawnRules::kKept;

    // Called by the thread with which the program is to end. The caller's memory is not copied. The
    // program's niceness is the caller's. Error: it cannot be executed.
    [[nodiscard]] static Result<HelperProcess> start(const std::string& program, UniqueFd socket);
    // Kills it.
    ~HelperProcess();
    HelperProcess(HelperProcess&& other) noexcept
        : pid_(std::exchange(other.pid_, -1)), end_(std::move(other.end_)) {}
    HelperProcess& operator=(HelperProcess&&) = delete;

    [[nodiscard]] pid_t pid() const { return pid_; }
    // The close of its socket has ordered it to end: waits for that, and kills it afterwards.
    // Returns how it ended: "exit code 1", "signal 31".
    std::string wait(std::chrono::milliseconds patience);

  private:
    explicit HelperProcess(pid_t pid) : pid_(pid) {}

    pid_t pid_;
    std::string end_;
};

}  // namespace vpnha::adapters
