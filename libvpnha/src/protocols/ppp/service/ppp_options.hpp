// SPDX-License-Identifier: GPL-2.0-or-later
// What of pppd's options matters to the checks: the plugins, and what is set for them.
#pragma once

#include <string>

namespace vpnha::runtime {

struct PppOptions {
    bool has_vpnha = false;  // The plugin vpnha.so.
    std::string gateway{};   // The last one counts.
    bool has_radius = false;
    std::string radius_config = "/etc/radiusclient/radiusclient.conf";  // pppd's default.
};

// As a pppd that is started with `file` reads them: first `options` below `ppp`, which is /etc/ppp,
// then that file, and what the two include.
[[nodiscard]] PppOptions read_ppp_options(const std::string& file, const std::string& ppp);

}  // namespace vpnha::runtime
