// SPDX-License-Identifier: GPL-2.0-or-later
// `vpnha switchover`: requests the move from vpnhad repeatedly until it is done. If it ends before,
// nothing has to be undone: the claiming node stops when the requests end.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <ostream>
#include <string>

#include "cli/ask.hpp"
#include "cli/exit_code.hpp"

namespace CLI {
class App;
}

namespace vpnha::cli {

struct Switchover {
    std::string gateway;
    std::string to;  // Empty: the best one.
    bool dry_run = false;
};

// `ordered` is called while the command line is parsed.
void add_switchover(CLI::App& app, const std::function<void(const Switchover&)>& ordered);

void sleep_for(std::chrono::milliseconds time);

// The external functions that it needs.
struct SwitchoverPorts {
    Ask ask;
    std::ostream& out;
    std::ostream& err;
    std::function<void(std::chrono::milliseconds)> pause = sleep_for;

    // A line of progress, flushed at once.
    template <class... Values>
    void print(fmt::format_string<Values...> words, Values&&... values) const {
        out << fmt::format(words, std::forward<Values>(values)...) << "\n" << std::flush;
    }
};

[[nodiscard]] ExitCode switch_over(const Switchover& order, const SwitchoverPorts& ports);

}  // namespace vpnha::cli
