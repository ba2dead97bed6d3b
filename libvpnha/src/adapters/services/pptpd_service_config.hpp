// SPDX-License-Identifier: GPL-2.0-or-later
// The two things of a pptpd.conf that matter to us: where the daemon listens, and which options
// file its pppds are started with. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/ids.hpp"

namespace vpnha::adapters {

struct PptpdConfig {
    Ipv4Address listen;
    std::string options_file;
};

// Refuses a configuration without `listen`, whose GRE would leave from the address of the route to
// the client, and one without `option`: other pppds of the node would share /etc/ppp/options.
// `file_name` appears in errors.
[[nodiscard]] Result<PptpdConfig> parse_pptpd_config(std::string_view text,
                                                     std::string_view file_name);

}  // namespace vpnha::adapters
