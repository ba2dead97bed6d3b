// SPDX-License-Identifier: GPL-2.0-or-later
// Reads the devices' counters in a separate thread: those of thousands of devices take longer than
// a lease can wait.
#pragma once

#include <functional>
#include <utility>

#include "host/os/background.hpp"
#include "services/accounting/work.hpp"

namespace vpnha::adapters {

class TrafficReader {
  public:
    // Called from the loop, never from within a call of this class.
    using Notify = std::function<void(GatewayId, const node::TrafficRead&)>;

    // `loop` must outlive it.
    TrafficReader(QbLoop& loop, Notify notify) : background_(loop), notify_(std::move(notify)) {}

    // A failed reading is reported as well, without devices.
    void read(const node::ReadTraffic& wanted);

  private:
    Background background_;
    Notify notify_;
};

}  // namespace vpnha::adapters
