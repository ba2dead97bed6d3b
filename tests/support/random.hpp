// SPDX-License-Identifier: GPL-2.0-or-later
// Seeded numbers for property tests: the same seed gives the same run on every machine.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace vpnha::test {

// How many of these histories a test draws. All, but a sixth where sanitizers look for faults of
// memory: the same code runs ten times slower there.
constexpr std::uint32_t drawn(std::uint32_t histories) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    constexpr std::uint32_t kShare = 6;
    return (histories + kShare - 1) / kShare;
#else
    return histories;
#endif
}

// SplitMix64; std::uniform_int_distribution differs between standard libraries.
class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    // 0..bound-1
    std::uint64_t below(std::uint64_t bound) { return next() % bound; }
    std::uint16_t u16() { return static_cast<std::uint16_t>(next()); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(next()); }
    bool chance(unsigned percent) { return below(100) < percent; }

    Bytes bytes(std::size_t max_size) {
        Bytes bytes(below(max_size + 1));
        for (std::uint8_t& byte : bytes) {
            byte = static_cast<std::uint8_t>(next());
        }
        return bytes;
    }

  private:
    std::uint64_t state_;
};

}  // namespace vpnha::test
