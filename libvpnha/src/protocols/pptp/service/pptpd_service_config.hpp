// SPDX-License-Identifier: GPL-2.0-or-later
// The relevant parts of a pptpd.conf: the daemon's address, the options file of its pppds, and its
// number of clients. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.hpp"

namespace vpnha::adapters {

struct PptpdConfig {
    Ipv4Address listen;
    std::string options_file;
    // At once: the smaller of 'connections' and the number of addresses in 'remoteip', which does
    // not count with 'delegate' (pptpd 1.4.0, pptpd.c).
    std::uint32_t connections = 100;
};

// Refuses a configuration without `listen`: its GRE would leave from the address of the route to
// the client. Refuses one without `option`: other pppds of the node would share /etc/ppp/options.
// `file_name` appears in errors.
[[nodiscard]] Result<PptpdConfig> parse_pptpd_config(std::string_view text,
                                                     std::string_view file_name);

}  // namespace vpnha::adapters
