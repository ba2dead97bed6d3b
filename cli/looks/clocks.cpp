// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/looks/clocks.hpp"

#include <sys/timex.h>

#include <cerrno>

namespace vpnha::cli::looks {

std::vector<std::string> judge_clock(int status) {
    if ((status & STA_UNSYNC) == 0) {
        return {};
    }
    return {
        "no time daemon keeps this machine's clock right: certificates may seem not valid yet, "
        "RADIUS servers drop what is 300 s away, and a WireGuard peer takes no handshake whose "
        "time is before that of the last one; install chrony on each node, or type `timedatectl "
        "set-ntp true`"};
}

Result<std::vector<std::string>> look_at_clock() {
    timex state{};
    if (::adjtimex(&state) < 0) {
        return tl::unexpected(system_error("adjtimex", errno));
    }
    return judge_clock(state.status);
}

}  // namespace vpnha::cli::looks
