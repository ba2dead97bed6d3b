// SPDX-License-Identifier: GPL-2.0-or-later
#include "keepers/margin.hpp"

#include <algorithm>

namespace vpnha::keepers {

std::uint64_t Margin::beyond(const Epoch& said, const NumberUse& use) const {
    if (run_on) {
        // In milliseconds, and one more: rates of millions a second do not overflow within a month.
        const auto ms = std::chrono::ceil<std::chrono::milliseconds>(*run_on).count();
        return ms == 0 ? 0 : (static_cast<std::uint64_t>(ms) + 1) * use.per_second / 1000 + 1;
    }
    // Any node may have served in each epoch since, and none have told. Where two of them began
    // differs by what the one held that the other did not: as much again.
    const std::uint64_t epochs = granted.number - std::min(said.number, granted.number);
    return std::max<std::uint64_t>(epochs, 1) * 2 * use.per_epoch;
}

}  // namespace vpnha::keepers
