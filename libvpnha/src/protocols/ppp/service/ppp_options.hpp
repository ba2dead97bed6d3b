// SPDX-License-Identifier: GPL-2.0-or-later
// The parts of pppd's options that the checks need: the plugins and their settings.
#pragma once

#include <string>

namespace vpnha::runtime {

struct PppOptions {
    bool has_vpnha = false;  // The plugin vpnha.so.
    std::string gateway{};   // The last one counts.
    bool has_radius = false;
    std::string radius_config = "/etc/radiusclient/radiusclient.conf";  // pppd's default.
};

// The options of a pppd that is started with `file`: first `options` below `ppp`, which is
// /etc/ppp, then that file, and the files that the two include.
[[nodiscard]] PppOptions read_ppp_options(const std::string& file, const std::string& ppp);

}  // namespace vpnha::runtime
