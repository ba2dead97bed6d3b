// SPDX-License-Identifier: GPL-2.0-or-later
// Which plane of a gateway is overloaded on this node: the control plane (programs that set up
// sessions) or the data plane (packets in the kernel). It compares two readings of /proc, half a
// second apart.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "vpnha/result.hpp"

namespace vpnha::cli::looks {

struct PlanesReading {
    struct Processor {
        std::uint64_t ticks = 0;    // Since the boot.
        std::uint64_t idle = 0;     // Of them.
        std::uint64_t packets = 0;  // Of them, in softirqs.
    };
    struct Program {
        std::string name{};
        std::uint64_t ticks = 0;
    };

    std::vector<Processor> processors{};
    std::map<std::string, Program> programs{};  // By process id.
    // What was not handled in time: packets, connections that a program had to accept, datagrams
    // that it had to read.
    std::uint64_t packets_dropped = 0;
    std::uint64_t connections_dropped = 0;
    std::uint64_t datagrams_dropped = 0;
};

// `proc`: where it is mounted.
[[nodiscard]] PlanesReading read_planes(const std::string& proc = "/proc");
// Each finding with what to do.
[[nodiscard]] std::vector<std::string> judge_planes(const PlanesReading& before,
                                                    const PlanesReading& after);
// Both. Error: /proc cannot be read.
[[nodiscard]] Result<std::vector<std::string>> look_at_planes();

}  // namespace vpnha::cli::looks
