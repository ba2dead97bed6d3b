// SPDX-License-Identifier: GPL-2.0-or-later
// The process that makes the fault and undoes it: a child in a separate
// session, and the only one that changes the machine. It undoes the
// fault on an order, when its parent has ended in any way, on SIGTERM,
// and when the time is over. So nothing is left to undo when the command
// is interrupted or killed. If a node dies, the fault ends with it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>

#include "cli/drill/plan.hpp"
#include "host/os/unique_fd.hpp"
#include "vpnha/result.hpp"

namespace vpnha::cli::drill {

class Striker {
  public:
    struct News {
        std::optional<double> struck_ms{};  // When the first command began, since 1970.
        bool is_done = false;               // All commands have ended.
        std::string trouble{};              // Why the fault could not be made.
        std::string output{};               // By the last command.
    };

    // Nothing is done yet. `lock_file`: locked until the fault is undone. Error busy: another
    // drill, or its undo, has it. To be called before there are threads.
    [[nodiscard]] static Result<Striker> arm(const Plan& plan, std::chrono::milliseconds at_most,
                                             const std::string& lock_file);
    ~Striker();
    Striker(Striker&& other) noexcept;
    Striker& operator=(Striker&&) = delete;
    Striker(const Striker&) = delete;
    Striker& operator=(const Striker&) = delete;

    void strike();
    // The news until now; does not wait.
    [[nodiscard]] const News& news();
    // Returns when the fault is undone. Error: what to type in place of the failed commands.
    Result<void> undo();

  private:
    Striker(pid_t child, adapters::UniqueFd link) : child_(child), link_(std::move(link)) {}
    void read_news(bool waits);

    pid_t child_;
    adapters::UniqueFd link_;
    std::string unread_;
    std::string undo_trouble_;
    News news_;
};

}  // namespace vpnha::cli::drill
