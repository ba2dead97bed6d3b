// SPDX-License-Identifier: GPL-2.0-or-later
// This machine's settings of connection tracking, in the calling thread's network namespace.
#pragma once

#include <string>

#include "services/flows/model/settings.hpp"

namespace vpnha::adapters {

// Sends the kernel a request to ctnetlink, which loads the module. Only root can.
[[nodiscard]] conntrack::Settings::Ctnetlink probe_ctnetlink();

// `directory`: the files of the settings. `modules`: a list like /proc/modules.
[[nodiscard]] conntrack::Settings read_conntrack_settings(
    const std::string& directory = "/proc/sys/net/netfilter",
    const std::string& modules = "/proc/modules");

}  // namespace vpnha::adapters
