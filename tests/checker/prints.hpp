// SPDX-License-Identifier: GPL-2.0-or-later
// 128 bits that stand for a sequence of octets. Two sequences of n have the same with a probability
// below n² / 2^129: with 10^8 states less than 10^-22.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace vpnha::checker {

struct Print {
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    friend bool operator==(const Print&, const Print&) = default;
};

// Two multiplicative hashes of eight octets at a time with a final mix (the constants are those of
// xxHash and splitmix64).
inline Print print_of(std::string_view octets) {
    Print print{0x9e3779b185ebca87 + octets.size(), 0xc2b2ae3d27d4eb4f ^ octets.size()};
    for (std::size_t at = 0; at < octets.size(); at += 8) {
        std::uint64_t word = 0;
        const std::size_t left = octets.size() - at;
        std::memcpy(&word, octets.data() + at, left < 8 ? left : 8);
        print.a = (print.a ^ word) * 0x9fb21c651e98df25;
        print.a ^= print.a >> 32;
        print.b = (print.b + word) * 0xd6e8feb86659fd93;
        print.b ^= print.b >> 29;
    }
    const auto mix = [](std::uint64_t value) {
        value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
        value = (value ^ value >> 27) * 0x94d049bb133111eb;
        return value ^ value >> 31;
    };
    return {mix(print.a), mix(print.b)};
}

}  // namespace vpnha::checker
