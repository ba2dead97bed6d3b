// SPDX-License-Identifier: GPL-2.0-or-later
// What AppArmor has forbidden to vpnhad, pppd, swanctl, Corosync and the stock daemons, by the
// kernel's log.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vpnha::runtime {

// Each once, with how often, and with the rule to write. `log`: lines of the kernel or of auditd;
// `programs`: the stock daemons, a part of their profiles' names each.
[[nodiscard]] std::vector<std::string> find_denials(std::string_view log,
                                                    std::vector<std::string> programs);

}  // namespace vpnha::runtime
