// SPDX-License-Identifier: GPL-2.0-or-later
// The processes of this machine, by /proc/PID/stat (proc(5)).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vpnha::cli {

struct ProcessStat {
    std::string id{};
    std::string program{};  // Empty: its line could not be read.
    std::string state{};
    std::string parent{};
    // As a user and in the kernel; those of children that have ended are separate.
    std::uint64_t ticks = 0;
    std::uint64_t ticks_of_ended = 0;
    std::uint64_t resident_pages = 0;
};

// `proc`: where it is mounted. Empty: it cannot be read.
[[nodiscard]] std::vector<ProcessStat> process_stats(const std::string& proc);

}  // namespace vpnha::cli
