// SPDX-License-Identifier: GPL-2.0-or-later
// Reads the devices' counters in a thread of its own: those of thousands of devices take longer
// than a lease can wait.
#pragma once

#include <functional>
#include <utility>

#include "host/os/background.hpp"
#include "services/accounting/work.hpp"

namespace vpnha::adapters {

class TrafficReader {
  public:
    // From the loop, never from within a call of this class.
    using Tell = std::function<void(GatewayId, const node::TrafficRead&)>;

    // `loop` must outlive it.
    TrafficReader(QbLoop& loop, Tell tell) : background_(loop), tell_(std::move(tell)) {}

    // What could not be read is told as well, with no devices in it.
    void read(const node::ReadTraffic& wanted);

  private:
    Background background_;
    Tell tell_;
};

}  // namespace vpnha::adapters
