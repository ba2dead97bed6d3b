// SPDX-License-Identifier: GPL-2.0-or-later
// A rate as parameters of the kernel's traffic control. Pure.
//
// To the client: a token bucket, and within it a queue for each flow (fq_codel), so that a download
// does not delay interactive traffic. From the client: packets beyond the rate are dropped. A queue
// would follow the bottleneck, and only add delay.
#pragma once

#include <cstdint>
#include <optional>

#include "base/rate.hpp"

namespace vpnha::bandwidth {

struct Shaping {
    // The amount that passes at once before the rate applies.
    struct Bucket {
        std::uint32_t octets_per_s = 0;
        std::uint32_t burst = 0;  // Octets.
        friend bool operator==(const Bucket&, const Bucket&) = default;
    };
    Bucket down;
    // How long a packet may wait, and one interval longer, before its flow is slowed down.
    std::uint32_t target_us = 0;
    std::uint32_t interval_us = 0;
    std::optional<Bucket> up;  // nullopt: the client's sending is not limited.
    friend bool operator==(const Shaping&, const Shaping&) = default;
};

// `mtu`: of the device. Without a limit to the client it still has the queues, in a bucket that is
// never empty: other programs can then recognise the device as vpnhad's.
[[nodiscard]] Shaping shaping_of(const Rate& rate, std::uint16_t mtu);

}  // namespace vpnha::bandwidth
