// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/fencing.hpp"

#include <fmt/format.h>

#include "host/lease/fenced_file.hpp"
#include "host/os/log.hpp"

namespace vpnha::runtime {

namespace {

void report(const Result<void>& result) {
    if (!result) {
        adapters::write_log(LogLevel::error, result.error().detail);
    }
}

}  // namespace

Error end_fenced_life(const config::Config& config, ports::Services& services,
                      ports::Machine& machine) {
    if (config.fencing_reset) {
        // First: later steps may wait for a lock or a disk.
        machine.limit_life();
    }
    report(adapters::write_fenced_file(config.control_socket));
    for (const config::Gateway& gateway : config.gateways) {
        report(services.end(gateway.id));
    }
    Error why = adapters::fenced_error();
    if (config.fencing_reset) {
        adapters::write_log(LogLevel::error, "the machine is reset event=reset");
        why.detail += fmt::format(" by hand ({})", machine.reset().detail);
    }
    return why;
}

}  // namespace vpnha::runtime
