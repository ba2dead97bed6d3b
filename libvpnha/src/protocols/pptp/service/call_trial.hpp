// SPDX-License-Identifier: GPL-2.0-or-later
// A call to a PPTP server of this node as a client makes it, for a monitor: it ends before anybody
// is asked for a name. What it proves: the daemon takes control connections, starts pptpctrl and
// pppd for a call, and GRE goes there and back.
#pragma once

#include <chrono>

#include "base/ids.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

// Does an interface of this network namespace have the address?
[[nodiscard]] bool is_address_here(Ipv4Address address);

// From the address to itself, over the loopback device: nothing of it passes a gate or is seen
// outside. Waits at most `patience` for everything together. An error says what did not come.
[[nodiscard]] Result<void> try_call(Ipv4Address server, std::chrono::milliseconds patience);

}  // namespace vpnha::adapters
