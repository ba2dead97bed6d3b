// SPDX-License-Identifier: GPL-2.0-or-later
// `vpnha drill NAME`, from the first look to the last line. What it does to the world is in its
// ports.
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
    // Again and again, until all is healthy.
    std::function<Result<Facts>()> look_at_health;
    // Of the human; the line before has the question.
    std::function<bool()> agrees;
    // At most so long from the strike on.
    std::function<Result<Fault>(const Plan&, std::chrono::milliseconds at_most)> arm;
    // Begins to ping; the result ends that, and has what was seen. Null: nobody watches here.
    std::function<Result<std::function<Watch()>>()> watch;
    std::function<double()> unix_ms;
    std::function<void(std::chrono::milliseconds)> pause;
    // Writes the files of the order.
    std::function<Result<void>(const Record&)> write;
};

// Exit codes: ok; degraded: nobody took over, sessions ended, or the cluster is not healthy again;
// failed: refused, or not undone.
[[nodiscard]] ExitCode conduct(const Order& order, const Ports& ports);

}  // namespace vpnha::cli::drill
