// SPDX-License-Identifier: GPL-2.0-or-later
// A power cut of gw1 that client1 watched.
#pragma once

#include "cli/drill/record.hpp"

namespace vpnha::cli::drill {

inline Record sample_record() {
    constexpr double kStruck = 1'764'000'000'990;
    Record record{.kind = Kind::node_power,
                  .gateway = "dialin",
                  .node = "gw2",
                  .from = "gw1",
                  .to = "gw2",
                  .fault = "the cluster's fencing resets gw1, which serves",
                  .outcome = Outcome::moved,
                  .timers = {.stands_in = true, .lease_ms = 300, .token_ms = 650},
                  .begun_ms = kStruck - 6000,
                  .struck_ms = kStruck,
                  .noticed_ms = kStruck + 50,
                  .moved_ms = kStruck + 310,
                  .undone_ms = kStruck + 6000,
                  .recovered_ms = kStruck + 20'010,
                  .sessions = Sessions{.before = 3, .kept = 3, .lost = 0, .anew = 1},
                  .moments = {{kStruck + 310, "gw2", "gate opened <&>"}}};
    Watch watch{.address = "192.0.2.100", .machine = "client1", .interval_ms = 50, .probes = {}};
    for (int i = 0; i < 40; ++i) {
        const double sent = kStruck - 990 + i * 50;
        const bool is_lost = i >= 20 && i < 26;
        watch.probes.push_back({sent, is_lost ? std::nullopt : std::optional(sent + 1)});
    }
    record.watches.push_back(watch);
    return record;
}

}  // namespace vpnha::cli::drill
