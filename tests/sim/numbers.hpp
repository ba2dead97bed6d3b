// SPDX-License-Identifier: GPL-2.0-or-later
// The sequence numbers that a machine's kernel uses: on each SA one, or more, in each millisecond
// of its clock in which the gate lets it through, whatever becomes of its vpnhad.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

#include "base/ids.hpp"
#include "base/time.hpp"

namespace vpnha::sim {

inline constexpr Duration kPerNumber = std::chrono::milliseconds(1);

// Called after the epoch that it was made in.
using SaNumber = std::uint64_t;

class Numbers {
  public:
    using Key = std::pair<GatewayId, SaNumber>;
    struct Sa {
        std::uint64_t next = 0;
        TimePoint at{};  // All before it were used.
        std::uint64_t at_once = 1;
        std::uint64_t end = ~std::uint64_t{0};  // There is none from here on.
    };

    void set(const Key& sa, std::uint64_t next, TimePoint now) { set(sa, {next, now}); }
    void set(const Key& sa, const Sa& numbers) { sas_[sa] = numbers; }
    void drop(const Key& sa) { sas_.erase(sa); }
    void drop(GatewayId gateway) {
        std::erase_if(sas_, [&](const auto& sa) { return sa.first.first == gateway; });
    }
    void clear() { sas_.clear(); }
    [[nodiscard]] const std::map<Key, Sa>& sas() const { return sas_; }

    // `open_until(key)`: the gate's deadline for that SA since the last call; `used(key, first,
    // count, from)`.
    template <class OpenUntil, class Used>
    void pass(TimePoint now, const OpenUntil& open_until, const Used& used) {
        for (auto& [key, sa] : sas_) {
            const TimePoint end = std::min(now, open_until(key));
            if (end > sa.at) {
                const auto times = static_cast<std::uint64_t>((end - sa.at) / kPerNumber);
                const std::uint64_t count = std::min(times * sa.at_once, sa.end - sa.next);
                if (count > 0) {
                    used(key, sa.next, count, sa.at);
                }
                sa.next += count;
                sa.at += times * kPerNumber;
            }
            if (end < now) {
                sa.at = now;
            }
        }
    }
    // It stood still meanwhile.
    void skip(TimePoint now) {
        for (auto& [key, sa] : sas_) {
            sa.at = now;
        }
    }

  private:
    std::map<Key, Sa> sas_;
};

}  // namespace vpnha::sim
