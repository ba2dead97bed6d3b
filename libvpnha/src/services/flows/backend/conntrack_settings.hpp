// SPDX-License-Identifier: GPL-2.0-or-later
// How this machine's connection tracking is set, in the network namespace of the calling thread.
#pragma once

#include <string>

#include "services/flows/model/settings.hpp"

namespace vpnha::adapters {

// Asks the kernel for ctnetlink, which loads the module. Only root can.
[[nodiscard]] conntrack::Settings::Ctnetlink probe_ctnetlink();

// `directory`: where the settings are files. `modules`: a list like /proc/modules.
[[nodiscard]] conntrack::Settings read_conntrack_settings(
    const std::string& directory = "/proc/sys/net/netfilter",
    const std::string& modules = "/proc/modules");

}  // namespace vpnha::adapters
