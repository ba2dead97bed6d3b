// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/metrics/pppd_use.hpp"

#include <unistd.h>

#include <algorithm>
#include <set>
#include <vector>

#include "cli/process_stats.hpp"
#include "protocols/tables.hpp"

namespace vpnha::cli {

namespace {

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
    const std::vector<ProcessStat> processes = process_stats(proc);
    if (std::ranges::find(processes, "1", &ProcessStat::id) == processes.end()) {
        return std::nullopt;
    }
    const std::set<std::string> programs = programs_of_ppp();
    std::set<std::string> ours;
    // A child may be listed before its parent.
    for (std::size_t before = 1; before != ours.size();) {
        before = ours.size();
        for (const ProcessStat& each : processes) {
            if (programs.contains(each.program) || ours.contains(each.parent)) {
                ours.insert(each.id);
            }
        }
    }
    PppdUse use;
    for (const ProcessStat& each : processes) {
        if (!ours.contains(each.id)) {
            continue;
        }
        use.processor_s += static_cast<double>(each.ticks + each.ticks_of_ended) /
                           static_cast<double>(::sysconf(_SC_CLK_TCK));
        // A zombie has only its times left.
        if (each.program == "pppd" && each.state != "Z") {
            ++use.processes;
            use.memory_bytes +=
                each.resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
        }
    }
    return use;
}

}  // namespace vpnha::cli
