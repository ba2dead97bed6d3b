// SPDX-License-Identifier: GPL-2.0-or-later
// The three things of an xl2tpd.conf that matter to us: where the daemon listens, and which options
// files its pppds are started with. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"

namespace vpnha::adapters {

struct Xl2tpdConfig {
    Ipv4Endpoint listen;
    std::vector<std::string> options_files;
};

// Refuses a configuration without listen-addr: xl2tpd's data sockets would take the address of the
// route to the client instead of the VIP. `file_name` appears in errors.
[[nodiscard]] Result<Xl2tpdConfig> parse_xl2tpd_config(std::string_view text,
                                                       std::string_view file_name);

}  // namespace vpnha::adapters
