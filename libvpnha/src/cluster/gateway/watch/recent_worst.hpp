// SPDX-License-Identifier: GPL-2.0-or-later
// The worst of what was measured in a recent time. That time has parts, each of which is forgotten
// as a whole. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/time.hpp"

namespace vpnha::node {

template <std::size_t kParts>
class RecentWorst {
  public:
    // `part`: how long each part is, above 0.
    explicit RecentWorst(Duration part) : part_(part) {}

    void note(Duration measure, TimePoint now) {
        const std::int64_t number = part_of(now);
        Part& part = parts_.at(static_cast<std::size_t>(number) % kParts);
        if (part.number != number) {
            part = {number, {}};
        }
        part.worst = std::max(part.worst, measure);
    }
    // Of the last kParts - 1 to kParts parts; 0: nothing was measured.
    [[nodiscard]] Duration worst(TimePoint now) const {
        const std::int64_t oldest = part_of(now) - static_cast<std::int64_t>(kParts);
        Duration worst{};
        for (const Part& part : parts_) {
            worst = part.number > oldest ? std::max(worst, part.worst) : worst;
        }
        return worst;
    }

  private:
    struct Part {
        std::int64_t number = -1;  // Since the boot.
        Duration worst{};
    };

    [[nodiscard]] std::int64_t part_of(TimePoint now) const {
        return now.time_since_epoch() / part_;
    }

    Duration part_;
    std::array<Part, kParts> parts_{};
};

}  // namespace vpnha::node
