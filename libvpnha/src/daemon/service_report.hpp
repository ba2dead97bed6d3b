// SPDX-License-Identifier: GPL-2.0-or-later
// Each second one line for `systemctl status vpnhad`, and the sign of life for the unit's watchdog.
// A loop that stands still sends none: systemd then ends the unit, and Pacemaker starts it anew.
// Pacemaker's own monitor is sooner; this is for a node on which that stands still as well.
#pragma once

#include <functional>
#include <string>

#include "host/os/qb_loop.hpp"
#include "host/systemd/notify.hpp"

namespace vpnha::runtime {

class ServiceReport {
  public:
    // The loop must outlive it. `status`: one line.
    ServiceReport(adapters::QbLoop& loop, adapters::ServiceManager manager,
                  std::function<std::string()> status);

  private:
    void report();

    adapters::QbLoop& loop_;
    adapters::ServiceManager manager_;
    std::function<std::string()> status_;
};

}  // namespace vpnha::runtime
