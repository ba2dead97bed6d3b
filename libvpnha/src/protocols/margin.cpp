// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/margin.hpp"

#include <algorithm>

namespace vpnha::keepers {

std::uint64_t Margin::beyond(const Emitted& emitted, const NumberUse& use) const {
    if (run_on) {
        // In milliseconds, and one more: rates of millions a second do not overflow within a month.
        const auto ms = std::chrono::ceil<std::chrono::milliseconds>(*run_on).count();
        return ms == 0 ? 0 : (static_cast<std::uint64_t>(ms) + 1) * use.per_second / 1000 + 1;
    }
    // Any node may have served in each epoch since, without a report. The starts of two of them
    // differ by the numbers that one held and the other did not: as much again.
    const auto taken_since = [&](std::uint64_t epoch) {
        return (granted.number - std::min(epoch, granted.number)) * 2 * use.per_epoch;
    };
    // A node with more records may have begun close to its record, so the later of two records need
    // not be far ahead. Counted from the counter's first epoch, each epoch begins beyond all
    // before, whatever its node had received.
    const std::uint64_t since_born = taken_since(emitted.born);
    return std::max({taken_since(emitted.in.number), 2 * use.per_epoch,
                     since_born - std::min(emitted.number, since_born)});
}

}  // namespace vpnha::keepers
