// SPDX-License-Identifier: GPL-2.0-or-later
// The relevant parts of an xl2tpd.conf: the address of the daemon, and the options of its pppds.
// The file is read as xl2tpd 1.3.18 reads it (file.c, parse_config()). Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "protocols/l2tp/service/xl2tpd_lns.hpp"

namespace vpnha::adapters {

// STRLEN less the zero: xl2tpd truncates a longer name, or leaves it without a terminator.
inline constexpr std::size_t kXl2tpdFileNameBytesMax = 99;

struct Xl2tpdConfig {
    Ipv4Endpoint listen;
    std::vector<std::string> options_files;  // Of all sections, each once.
    std::vector<Xl2tpdLns> lns;
};

// Error invalid_config, with `file_name` and, where there is one, the line:
// - mistakes at which xl2tpd would exit, except values of options that do not matter to us;
// - no listen-addr: xl2tpd's data sockets would take the address of the route to the client instead
//   of the VIP; a name: its address may be another one on each node;
// - an `lns` without pppoptfile: other pppds of the node would share /etc/ppp/options;
// - options whose sessions no standby can resume: `force userspace`, `local ip range`.
[[nodiscard]] Result<Xl2tpdConfig> parse_xl2tpd_config(std::string_view text,
                                                       std::string_view file_name);

}  // namespace vpnha::adapters
