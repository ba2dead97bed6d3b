// SPDX-License-Identifier: GPL-2.0-or-later
// Small files as a whole: of /proc, and what a service keeps about itself in /run.
#pragma once

#include <string>

#include "vpnha/result.hpp"

namespace vpnha::adapters {

// Empty when there is no such file.
[[nodiscard]] std::string read_text(const std::string& path);
// In place: a reader may see half of it. Error: the system's, with the path.
Result<void> write_text(const std::string& path, const std::string& text);

// Removing an IPv4 address takes the others of its net away from the interface, unless this was
// called before (net.ipv4.conf.INTERFACE.promote_secondaries; net/ipv4/devinet.c,
// __inet_del_ifa()). VIPs of several gateways, or of several resources, may well share a net.
Result<void> keep_secondaries(const std::string& interface);

}  // namespace vpnha::adapters
