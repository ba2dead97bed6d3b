// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/looks/clocks.hpp"

#include <fmt/format.h>
#include <sys/timex.h>

#include <cerrno>
#include <cmath>

namespace vpnha::cli::looks {

namespace {

using nlohmann::json;

// The silence of a failover. A successor whose clock is behind by more than that begins handshakes
// that are older than the previous node's.
constexpr double kDifferenceMax_s = 0.3;

}  // namespace

std::vector<std::string> judge_clock(int status) {
    if ((status & STA_UNSYNC) == 0) {
        return {};
    }
    return {
        "no time daemon keeps this machine's clock right: certificates may seem not valid yet, "
        "RADIUS servers drop what is 300 s away, and a WireGuard peer accepts no handshake whose "
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

std::vector<std::string> compare_clocks(const json& status) {
    std::vector<std::string> findings;
    for (const json& gateway : status.at("gateways")) {
        const json& known = gateway.at("clock_difference_s");
        const double difference = known.is_number() ? known.get<double>() : 0;
        if (std::abs(difference) > kDifferenceMax_s) {
            findings.push_back(fmt::format(
                "gateway {}: this machine's clock is {:.1f} s {} that of the node that serves; "
                "clients of WireGuard ignore a new gateway whose clock is behind, until it has "
                "caught up or they begin by themselves after 15 s. Let chrony on both follow the "
                "same servers",
                gateway.at("name").get<std::string>(), std::abs(difference),
                difference < 0 ? "behind" : "ahead of"));
        }
    }
    return findings;
}

Result<std::vector<std::string>> look_at_differences(const Ask& ask) {
    return judge_status(ask, compare_clocks);
}

}  // namespace vpnha::cli::looks
