// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "vpnha/result.hpp"

namespace vpnha::adapters {

// Removing an IPv4 address removes the others of its net from the interface, unless this was called
// before (net.ipv4.conf.INTERFACE.promote_secondaries; net/ipv4/devinet.c, __inet_del_ifa()). VIPs
// of several gateways, or of several resources, may well share a net.
Result<void> keep_secondaries(const std::string& interface);

}  // namespace vpnha::adapters
