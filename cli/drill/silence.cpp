// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/drill/silence.hpp"

#include <algorithm>

namespace vpnha::cli::drill {

namespace {

// Each period in which a probe waited and no answer came.
std::vector<Silence> silences(const std::vector<Probe>& probes) {
    std::vector<double> arrivals;
    for (const Probe& probe : probes) {
        if (probe.answered_ms) {
            arrivals.push_back(*probe.answered_ms);
        }
    }
    std::ranges::sort(arrivals);
    std::vector<Silence> found;
    auto asked = probes.begin();
    for (const double arrival : arrivals) {
        if (asked != probes.end() && asked->sent_ms < arrival) {
            found.push_back({asked->sent_ms, arrival, true});
        }
        asked = std::find_if(asked, probes.end(),
                             [arrival](const Probe& probe) { return probe.sent_ms > arrival; });
    }
    if (asked != probes.end()) {
        found.push_back({asked->sent_ms, probes.back().sent_ms, false});
    }
    return found;
}

}  // namespace

Seen reckon(const std::vector<Probe>& probes, std::optional<double> struck_ms) {
    Seen seen{.sent = probes.size()};
    for (const Probe& probe : probes) {
        const bool is_lost = !probe.answered_ms;
        seen.lost += is_lost ? 1 : 0;
        seen.lost_before += is_lost && struck_ms && probe.sent_ms < *struck_ms ? 1 : 0;
    }
    for (const Silence& each : silences(probes)) {
        if (struck_ms && each.end_ms < *struck_ms) {
            seen.calm_ms = std::max(seen.calm_ms, each.length_ms());
        } else if (!seen.longest || each.length_ms() > seen.longest->length_ms()) {
            seen.longest = each;
        }
    }
    return seen;
}

}  // namespace vpnha::cli::drill
