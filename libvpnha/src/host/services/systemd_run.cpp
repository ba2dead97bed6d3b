// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/services/systemd_run.hpp"

#include <fmt/format.h>

#include "host/os/process.hpp"

namespace vpnha::adapters {

namespace {

Command systemd_run(const std::string& description, const std::vector<std::string>& program) {
    // A oneshot service has started when its program has ended.
    Command command{.arguments = {"/usr/bin/systemd-run", "--quiet", "--collect",
                                  "--service-type=oneshot", "--description=" + description,
                                  "--property=KillMode=process", "--property=OOMPolicy=continue",
                                  "--property=TasksMax=infinity", "--"}};
    command.arguments.insert(command.arguments.end(), program.begin(), program.end());
    return command;
}

}  // namespace

Result<void> run_by_systemd(const std::string& description, const std::vector<std::string>& program,
                            std::chrono::milliseconds timeout) {
    // Not a child that copies this process: vpnhad is large, and others wait for it.
    VPNHA_TRY(const int code, run_group_to_end(systemd_run(description, program), timeout, -1));
    if (code != 0) {
        return fail(Errc::system, fmt::format("{} ended with exit code {} under systemd; its "
                                              "journal has the reason",
                                              program.front(), code));
    }
    return {};
}

}  // namespace vpnha::adapters
