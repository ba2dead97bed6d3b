// SPDX-License-Identifier: GPL-2.0-or-later
// What of a pptpd.conf matters to us: where the daemon listens, which options file its pppds are
// started with, and how many clients it takes. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.hpp"

namespace vpnha::adapters {

struct PptpdConfig {
    Ipv4Address listen;
    std::string options_file;
    // At once: of 'connections', and of the addresses in 'remoteip' unless 'delegate' stands there,
    // the smaller number (pptpd 1.4.0, pptpd.c).
    std::uint32_t connections = 100;
};

// Refuses a configuration without `listen`, whose GRE would leave from the address of the route to
// the client, and one without `option`: other pppds of the node would share /etc/ppp/options.
// `file_name` appears in errors.
[[nodiscard]] Result<PptpdConfig> parse_pptpd_config(std::string_view text,
                                                     std::string_view file_name);

}  // namespace vpnha::adapters
