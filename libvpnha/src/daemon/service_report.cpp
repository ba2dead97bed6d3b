// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/service_report.hpp"

#include <chrono>
#include <utility>

#include "host/os/timers.hpp"

namespace vpnha::runtime {

namespace {

constexpr Duration kReportPause = std::chrono::seconds(1);

}  // namespace

ServiceReport::ServiceReport(adapters::QbLoop& loop, adapters::ServiceManager manager,
                             std::function<std::string()> status)
    : loop_(loop), manager_(std::move(manager)), status_(std::move(status)) {
    if (manager_.is_there()) {
        report();
    }
}

void ServiceReport::report() {
    manager_.notify("WATCHDOG=1\nSTATUS=" + status_());
    loop_.set_timer(kReportTimer, loop_.now() + kReportPause, [this] { report(); });
}

}  // namespace vpnha::runtime
