// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/process_stats.hpp"

#include <filesystem>
#include <sstream>

#include "host/os/text_file.hpp"

namespace vpnha::cli {

namespace {

// The state after the name is field 0.
constexpr std::size_t kParent = 1;
constexpr std::size_t kUserTicks = 11;
constexpr std::size_t kKernelTicks = 12;
constexpr std::size_t kTicksOfEnded = 14;  // In the kernel; 13: as a user.
constexpr std::size_t kResidentPages = 21;

ProcessStat parse_stat(const std::string& stat) {
    const std::size_t begin = stat.find('(');
    const std::size_t end = stat.rfind(')');
    ProcessStat process;
    if (begin == std::string::npos || end == std::string::npos || end < begin) {
        return process;
    }
    std::istringstream words(stat.substr(end + 1));
    words >> process.state;
    std::string word;
    for (std::size_t at = kParent; at <= kResidentPages; ++at) {
        if (at >= kUserTicks && at <= kTicksOfEnded) {
            std::uint64_t ticks = 0;
            words >> ticks;
            (at <= kKernelTicks ? process.ticks : process.ticks_of_ended) += ticks;
        } else if (at == kResidentPages) {
            words >> process.resident_pages;
        } else {
            words >> (at == kParent ? process.parent : word);
        }
    }
    if (words) {
        process.program = stat.substr(begin + 1, end - begin - 1);
    }
    return process;
}

}  // namespace

std::vector<ProcessStat> process_stats(const std::string& proc) {
    std::vector<ProcessStat> processes;
    std::error_code error;
    for (const auto& each : std::filesystem::directory_iterator(proc, error)) {
        const std::string id = each.path().filename();
        if (id.front() >= '1' && id.front() <= '9') {
            processes.push_back(parse_stat(adapters::read_text(each.path() / "stat")));
            processes.back().id = id;
        }
    }
    return processes;
}

}  // namespace vpnha::cli
