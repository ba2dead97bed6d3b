// SPDX-License-Identifier: GPL-2.0-or-later
// `vpnha switchover`: asks vpnhad for the move again and again until it is done. Nothing remains to
// be undone when this ends before: the node that calls for the role stops when nobody asks it.
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

// What it needs of the world.
struct SwitchoverPorts {
    Ask ask;
    std::ostream& out;
    std::ostream& err;
    std::function<void(std::chrono::milliseconds)> pause = sleep_for;

    // A line of progress, seen at once.
    template <class... Values>
    void say(fmt::format_string<Values...> words, Values&&... values) const {
        out << fmt::format(words, std::forward<Values>(values)...) << "\n" << std::flush;
    }
};

[[nodiscard]] ExitCode switch_over(const Switchover& order, const SwitchoverPorts& ports);

}  // namespace vpnha::cli
