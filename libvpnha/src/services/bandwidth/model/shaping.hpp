// SPDX-License-Identifier: GPL-2.0-or-later
// A rate in what the kernel's traffic control is told. Pure.
//
// To the client: a token bucket, and behind it a queue for each flow (fq_codel), so that a download
// does not delay what is interactive. From the client: packets beyond the rate are dropped, for a
// queue would stand behind the bottleneck, where it delays and helps nobody.
#pragma once

#include <cstdint>
#include <optional>

#include "base/rate.hpp"

namespace vpnha::bandwidth {

struct Shaping {
    // What passes at once before the rate counts.
    struct Bucket {
        std::uint32_t octets_per_s = 0;
        std::uint32_t burst = 0;  // Octets.
        friend bool operator==(const Bucket&, const Bucket&) = default;
    };
    Bucket down;
    // A packet may wait so long, and for one interval longer, before its flow is slowed down.
    std::uint32_t target_us = 0;
    std::uint32_t interval_us = 0;
    std::optional<Bucket> up;  // nullopt: whatever the client sends.
    friend bool operator==(const Shaping&, const Shaping&) = default;
};

// `mtu`: of the device. Without a limit to the client it has the queues all the same, behind a
// bucket that never is empty: what other programs see of the device tells whose it is.
[[nodiscard]] Shaping shaping_of(const Rate& rate, std::uint16_t mtu);

}  // namespace vpnha::bandwidth
