// SPDX-License-Identifier: GPL-2.0-or-later
// Denials by AppArmor for vpnhad, pppd, swanctl, Corosync and the stock daemons, from the kernel's
// log.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vpnha::runtime {

// Each once, with its count, and with the rule to write. `log`: lines of the kernel or of auditd;
// `programs`: the stock daemons, a part of their profiles' names each.
[[nodiscard]] std::vector<std::string> find_denials(std::string_view log,
                                                    std::vector<std::string> programs);

}  // namespace vpnha::runtime
