// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/protocol.hpp"

namespace vpnha::runtime {

std::vector<keepers::Make> families_with(std::span<const Protocol> others) {
    std::vector<keepers::Make> all(keepers::families().begin(), keepers::families().end());
    for (const Protocol& each : others) {
        all.push_back(each.keeper);
    }
    return all;
}

}  // namespace vpnha::runtime
