// SPDX-License-Identifier: GPL-2.0-or-later
// The counters of the point-to-point devices in this node's network namespace: ppp units and the
// TUN devices of PPTP calls, each found by the IPv4 address of its other end.
#pragma once

#include <vector>

#include "services/accounting/work.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

// Takes the kernel 1 us a device. In any thread.
[[nodiscard]] Result<std::vector<node::DeviceTraffic>> read_device_traffic();
// Of that device alone. Errors: Errc::system, also when there is no such device.
[[nodiscard]] Result<Traffic> read_traffic_of(std::uint32_t device);

}  // namespace vpnha::adapters
