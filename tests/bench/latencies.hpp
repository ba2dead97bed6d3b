// SPDX-License-Identifier: GPL-2.0-or-later
// Every single latency of a run: percentiles without buckets.
#pragma once

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/time.hpp"

namespace vpnha::bench {

inline double to_ms(Duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

class Latencies {
  public:
    void add(Duration latency) { all_.push_back(latency); }

    [[nodiscard]] nlohmann::json json() {
        std::sort(all_.begin(), all_.end());
        return {{"count", all_.size()},
                {"p50_ms", percentile_ms(50)},
                {"p99_ms", percentile_ms(99)},
                {"max_ms", percentile_ms(100)}};
    }

  private:
    // Nearest rank; 0 when there is none.
    [[nodiscard]] double percentile_ms(std::size_t percent) const {
        if (all_.empty()) {
            return 0;
        }
        const std::size_t rank = (all_.size() * percent + 99) / 100;
        return to_ms(all_[std::max<std::size_t>(rank, 1) - 1]);
    }

    std::vector<Duration> all_;
};

}  // namespace vpnha::bench
