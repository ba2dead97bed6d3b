// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/metrics/pppd_use.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>
#include <vector>

#include "host/os/text_file.hpp"
#include "protocols/tables.hpp"

namespace vpnha::cli {

namespace {

// Behind the program's name in parentheses (proc(5)): the state is field 0.
constexpr std::size_t kParent = 1;
constexpr std::size_t kUserTicks = 11;
constexpr std::size_t kTicksOfEndedChildren = 14;  // In the kernel; 13: as a user.
constexpr std::size_t kResidentPages = 21;

struct PppProcess {
    std::string program{};
    std::string state{};
    std::string id{};
    std::string parent{};
    std::uint64_t ticks = 0;
    std::uint64_t pages = 0;
};

// Without a program: it is no such line.
PppProcess parse_stat(const std::string& stat) {
    const std::size_t begin = stat.find('(');
    const std::size_t end = stat.rfind(')');
    PppProcess process;
    if (begin == std::string::npos || end == std::string::npos || end < begin) {
        return process;
    }
    std::istringstream words(stat.substr(end + 1));
    words >> process.state;
    std::string word;
    for (std::size_t at = kParent; at <= kResidentPages; ++at) {
        if (at >= kUserTicks && at <= kTicksOfEndedChildren) {
            std::uint64_t ticks = 0;
            words >> ticks;
            process.ticks += ticks;
        } else if (at == kResidentPages) {
            words >> process.pages;
        } else {
            words >> (at == kParent ? process.parent : word);
        }
    }
    if (words) {
        process.program = stat.substr(begin + 1, end - begin - 1);
    }
    return process;
}

std::vector<PppProcess> processes_in(const std::string& proc) {
    std::vector<PppProcess> processes;
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

// pppd, and the stock daemons that start it.
std::set<std::string> programs_of_ppp() {
    std::set<std::string> programs{"pppd"};
    config::Gateway all;
    for (const config::Section& section : config::schema().sections()) {
        config::schema().add_section(all, section);
    }
    for (const config::Facts& protocol : all.protocols.facts()) {
        if (protocol.ppp_options) {
            programs.emplace(protocol.daemon);
        }
    }
    return programs;
}

}  // namespace

std::optional<PppdUse> read_pppd_use(const std::string& proc) {
    const std::vector<PppProcess> processes = processes_in(proc);
    if (std::ranges::find(processes, "1", &PppProcess::id) == processes.end()) {
        return std::nullopt;
    }
    const std::set<std::string> programs = programs_of_ppp();
    std::set<std::string> ours;
    // A child may stand before its parent.
    for (std::size_t before = 1; before != ours.size();) {
        before = ours.size();
        for (const PppProcess& each : processes) {
            if (programs.contains(each.program) || ours.contains(each.parent)) {
                ours.insert(each.id);
            }
        }
    }
    PppdUse use;
    for (const PppProcess& each : processes) {
        if (!ours.contains(each.id)) {
            continue;
        }
        use.processor_s +=
            static_cast<double>(each.ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
        // A zombie has its times, and nothing else.
        if (each.program == "pppd" && each.state != "Z") {
            ++use.processes;
            use.memory_bytes += each.pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
        }
    }
    return use;
}

}  // namespace vpnha::cli
