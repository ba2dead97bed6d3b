// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/services/detached_program.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <sstream>

#include "host/os/text_file.hpp"

namespace vpnha::adapters {

namespace {

using namespace std::chrono_literals;

constexpr auto kKillTimeout = 5s;

}  // namespace

std::optional<Process> DetachedProgram::process() const {
    std::istringstream words(read_text(file_));
    pid_t pid = 0;
    std::uint64_t start_ticks = 0;
    if (!(words >> pid >> start_ticks)) {
        return std::nullopt;
    }
    auto found = read_process(pid);
    return found && found->start_ticks == start_ticks ? found : std::nullopt;
}

Result<bool> DetachedProgram::ensure(const Command& command) const {
    if (process()) {
        return false;
    }
    VPNHA_TRY(const pid_t pid, spawn_detached(command));
    const auto started = read_process(pid);
    VPNHA_CHECK(write_text(file_, fmt::format("{} {}\n", pid, started ? started->start_ticks : 0)));
    return true;
}

Result<void> DetachedProgram::end() const {
    if (const auto found = process()) {
        VPNHA_CHECK(kill_and_wait({*found}, kKillTimeout));
    }
    ::unlink(file_.c_str());
    return {};
}

}  // namespace vpnha::adapters
