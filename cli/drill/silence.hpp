// SPDX-License-Identifier: GPL-2.0-or-later
// The results of pings at a fixed rate. Pure. Times are milliseconds since 1970, so that those of
// several machines can be compared.
#pragma once

#include <optional>
#include <vector>

namespace vpnha::cli::drill {

struct Probe {
    double sent_ms = 0;
    std::optional<double> answered_ms;
};

// From the first probe that had to wait until an answer came. The probe need not be lost: a planned
// move holds packets.
struct Silence {
    double begin_ms = 0;
    double end_ms = 0;
    bool has_ended = true;  // False: no answer came until the end of the watch.

    [[nodiscard]] double length_ms() const { return end_ms - begin_ms; }
};

struct Seen {
    std::size_t sent = 0;
    std::size_t lost = 0;  // All, including those before the fault.
    std::size_t lost_before = 0;
    std::optional<Silence> longest{};  // After the fault; without one the longest of all.
    double calm_ms = 0;                // The longest before the fault.
};

// `probes` in the order in which they were sent.
[[nodiscard]] Seen reckon(const std::vector<Probe>& probes, std::optional<double> struck_ms);

}  // namespace vpnha::cli::drill
