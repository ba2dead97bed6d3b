// SPDX-License-Identifier: GPL-2.0-or-later
// `vpnha drill NAME`, from the first check to
// the last line. Its ports carry out all effects.
#pragma once

#include <chrono>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "cli/drill/look.hpp"
#include "cli/drill/plan.hpp"
#include "cli/drill/record.hpp"
#include "cli/drill/striker.hpp"
#include "cli/exit_code.hpp"

namespace vpnha::cli::drill {

// A fault that is made and undone; Striker is the real one.
struct Fault {
    std::function<void()> strike;
    std::function<Striker::News()> news;
    std::function<Result<void>()> undo;
};

struct Ports {
    std::ostream& out;
    std::ostream& err;
    Ask ask;
    std::function<Result<Facts>()> look;
    // Repeatedly, until all is healthy.
    std::function<Result<Facts>()> look_at_health;
    // Asks the user; the question is in the line before.
    std::function<bool()> agrees;
    // At most for that time, from the strike on.
    std::function<Result<Fault>(const Plan&, std::chrono::milliseconds at_most)> arm;
    // Starts to ping; the result ends that, and has the measurements. Null: no watch runs here.
    std::function<Result<std::function<Watch()>>()> watch;
    std::function<double()> unix_ms;
    std::function<void(std::chrono::milliseconds)> pause;
    // Writes the files of the order.
    std::function<Result<void>(const Record&)> write;
};

// Exit codes: ok; degraded: no node took over, sessions ended, or the cluster is not healthy again;
// failed: refused, or not undone.
[[nodiscard]] ExitCode conduct(const Order& order, const Ports& ports);

}  // namespace vpnha::cli::drill
