// SPDX-License-Identifier: GPL-2.0-or-later
// Carries out a trial call to a PPTP server (model/trial_call.hpp), for monitors. It proves that
// the daemon accepts control connections, starts pptpctrl and pppd for a call, and that GRE passes
// in both directions.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "protocols/pptp/model/trial_call.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

// Whether an interface of this network namespace has the address.
[[nodiscard]] bool is_address_here(Ipv4Address address);

struct CallWish {
    Ipv4Address server;
    // The address to call from; 0: the kernel chooses. A call from a server's own address to itself
    // passes no gate and is not seen outside.
    Ipv4Address source{};
    std::chrono::nanoseconds patience{};  // For all steps together.
};

struct CallStep {
    std::string name;
    std::chrono::nanoseconds took{};
};

struct TriedCall {
    std::vector<CallStep> steps;  // Those that were answered.
    // Errors: the missing answer (timeout), the server refuses (unreachable), or sends no PPTP
    // (malformed); all others are this machine's.
    Result<void> result;
};

// `link`: a client's PPP; without one an LCP of the server that answers is enough.
[[nodiscard]] TriedCall try_call(const CallWish& wish,
                                 std::unique_ptr<pptp::TrialLink> link = nullptr);

}  // namespace vpnha::adapters
