// SPDX-License-Identifier: GPL-2.0-or-later
// Port: the gate, the BPF program at the edge of a gateway's devices. It drops every packet from or
// to a covered address unless the gateway's absolute deadline lies ahead. Drops are silent to local
// senders.
#pragma once

#include <cstdint>
#include <optional>

#include "base/ids.hpp"
#include "base/time.hpp"

namespace vpnha::ports {

struct GateCounters {
    std::uint64_t dropped_in = 0;
    std::uint64_t dropped_out = 0;
};

class Gate {
  public:
    virtual ~Gate() = default;

    // Attaches to the gateway's devices, shut, covering its VIPs, PPP local address and pools.
    // Repeating it re-attaches where a device was created anew and keeps the deadline.
    virtual Result<void> attach(GatewayId gateway) = 0;
    // One map update; `deadline` is CLOCK_BOOTTIME.
    virtual Result<void> open_until(GatewayId gateway, TimePoint deadline) = 0;
    virtual Result<void> shut(GatewayId gateway) = 0;
    // nullopt: shut, or not attached.
    [[nodiscard]] virtual Result<std::optional<TimePoint>> deadline(GatewayId gateway) const = 0;
    [[nodiscard]] virtual Result<GateCounters> counters(GatewayId gateway) const = 0;
};

}  // namespace vpnha::ports
