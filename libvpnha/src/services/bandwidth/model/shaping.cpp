// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/bandwidth/model/shaping.hpp"

#include <algorithm>

namespace vpnha::bandwidth {

namespace {

constexpr std::uint64_t kBitsOfAnOctet = 8;
constexpr std::uint64_t kMillisecondsOfASecond = 1'000;
constexpr std::uint64_t kMicrosecondsOfASecond = 1'000'000;
// Several ticks of a kernel with 100 a second: it sends due packets when its timer expires.
constexpr std::uint64_t kBurstDownMs = 50;
// A TCP whose packets were dropped waits 200 ms and more: in that time the bucket fills.
constexpr std::uint64_t kBurstUpMs = 500;
constexpr std::uint64_t kPacketsDown = 2;
constexpr std::uint64_t kPacketsUp = 8;
// fq_codel's own; on a slow link a packet takes longer than the target.
constexpr std::uint64_t kTargetUs = 5'000;
constexpr std::uint64_t kIntervalUs = 100'000;

Shaping::Bucket bucket_of(std::uint64_t bits_per_s, std::uint64_t burst_ms,
                          std::uint64_t burst_min) {
    const std::uint64_t octets_per_s = bits_per_s / kBitsOfAnOctet;
    const std::uint64_t burst = octets_per_s * burst_ms / kMillisecondsOfASecond;
    return {static_cast<std::uint32_t>(octets_per_s),
            static_cast<std::uint32_t>(std::max(burst, burst_min))};
}

}  // namespace

Shaping shaping_of(const Rate& rate, std::uint16_t mtu) {
    Shaping shaping;
    const std::uint64_t down = rate.down == 0 ? kRateMax : rate.down;
    shaping.down = bucket_of(down, kBurstDownMs, kPacketsDown * mtu);
    // One and a half packets.
    const std::uint64_t packets_us = kMicrosecondsOfASecond * kBitsOfAnOctet * mtu * 3 / 2 / down;
    const std::uint64_t target = std::max(kTargetUs, packets_us);
    shaping.target_us = static_cast<std::uint32_t>(target);
    shaping.interval_us = static_cast<std::uint32_t>(kIntervalUs + target - kTargetUs);
    if (rate.up != 0) {
        shaping.up = bucket_of(rate.up, kBurstUpMs, kPacketsUp * mtu);
    }
    return shaping;
}

}  // namespace vpnha::bandwidth
