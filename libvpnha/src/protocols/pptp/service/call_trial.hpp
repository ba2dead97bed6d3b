// SPDX-License-Identifier: GPL-2.0-or-later
// Carries out a trial call to a PPTP server (model/trial_call.hpp), for monitors. What it proves:
// the daemon takes control connections, starts pptpctrl and pppd for a call, and GRE goes there and
// back.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "protocols/pptp/model/trial_call.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

// Does an interface of this network namespace have the address?
[[nodiscard]] bool is_address_here(Ipv4Address address);

struct CallWish {
    Ipv4Address server;
    // From which to call; 0: the kernel chooses. From a server's own address to itself nothing
    // passes a gate or is seen outside.
    Ipv4Address source{};
    std::chrono::nanoseconds patience{};  // For everything together.
};

struct CallStep {
    std::string name;
    std::chrono::nanoseconds took{};
};

struct TriedCall {
    std::vector<CallStep> steps;  // Those that were answered.
    // Errors: what did not come (timeout), the server refuses (unreachable), or speaks no PPTP
    // (malformed); all else is this machine's.
    Result<void> result;
};

// `link`: a client's PPP; without one an LCP of the server's that answers is enough.
[[nodiscard]] TriedCall try_call(const CallWish& wish,
                                 std::unique_ptr<pptp::TrialLink> link = nullptr);

}  // namespace vpnha::adapters
