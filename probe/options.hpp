// SPDX-License-Identifier: GPL-2.0-or-later
// The command line of vpnha-probe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "probe/report.hpp"
#include "vpnha/result.hpp"

namespace vpnha::probe {

struct Options {
    std::string protocol;  // l2tp, l2tp-ipsec, ike, ikev1, ikev2, pptp, radius, wireguard
    std::string host;
    std::string source;  // Empty: the kernel chooses.
    std::optional<std::uint16_t> port;
    std::string secret_file;
    std::string account_file;
    std::string ike_account_file;  // For l2tp-ipsec only.
    Ipv4Address ping{};            // 0.0.0.0: the server itself.
    Thresholds thresholds;
    bool json = false;
    // The text of --help and --version: printed instead of any probe.
    std::string shown;
};

// Error invalid_argument: a sentence with the mistake.
[[nodiscard]] Result<Options> parse_options(const std::vector<std::string>& arguments);

}  // namespace vpnha::probe
