// SPDX-License-Identifier: GPL-2.0-or-later
// A program of vpnhad's that parses what comes from outside, in a process without privileges
// (sandbox.hpp). It has an empty environment, no descriptor but /dev/null and its end of a
// MessageSocket, and a session of its own. It ends with vpnhad, and when its socket is closed.
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
    // Where the program has its end of the sockets.
    static constexpr int kSocket = SpawnRules::kKept;

    // By the thread with which it is to end. The caller's memory is not copied. The program's
    // niceness is the caller's. Error: it cannot be executed.
    [[nodiscard]] static Result<HelperProcess> start(const std::string& program, UniqueFd socket);
    // Kills it.
    ~HelperProcess();
    HelperProcess(HelperProcess&& other) noexcept
        : pid_(std::exchange(other.pid_, -1)), end_(std::move(other.end_)) {}
    HelperProcess& operator=(HelperProcess&&) = delete;

    [[nodiscard]] pid_t pid() const { return pid_; }
    // It was told to end by the close of its socket: waits for that, and kills it afterwards. How
    // it ended: "exit code 1", "signal 31".
    std::string wait(std::chrono::milliseconds patience);

  private:
    explicit HelperProcess(pid_t pid) : pid_(pid) {}

    pid_t pid_;
    std::string end_;
};

}  // namespace vpnha::adapters
