// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/looks/planes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <numeric>
#include <sstream>
#include <string_view>
#include <utility>

#include "cli/process_stats.hpp"
#include "cli/switchover.hpp"
#include "host/os/text_file.hpp"

namespace vpnha::cli::looks {

namespace {

using Processor = PlanesReading::Processor;
using Program = PlanesReading::Program;

constexpr std::chrono::milliseconds kBetween{500};
// Of a processor's time.
constexpr double kHigh = 0.8;
// Below this the others have time left, while one is overloaded.
constexpr double kLow = 0.5;

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream from(text);
    for (std::string line; std::getline(from, line);) {
        lines.push_back(line);
    }
    return lines;
}

// "cpu0 user nice system idle iowait irq softirq steal …": the guests' are in the first ones.
std::vector<Processor> processors_of(const std::string& stat) {
    constexpr std::size_t kKinds = 8;
    constexpr std::size_t kIdle = 3;
    constexpr std::size_t kIoWait = 4;
    constexpr std::size_t kSoftirq = 6;
    std::vector<Processor> processors;
    for (const std::string& line : lines_of(stat)) {
        if (!line.starts_with("cpu") || line.starts_with("cpu ")) {
            continue;
        }
        std::istringstream words(line);
        std::string name;
        std::array<std::uint64_t, kKinds> ticks{};
        words >> name;
        for (std::uint64_t& each : ticks) {
            words >> each;
        }
        processors.push_back({std::accumulate(ticks.begin(), ticks.end(), std::uint64_t{0}),
                              ticks[kIdle] + ticks[kIoWait], ticks[kSoftirq]});
    }
    return processors;
}

std::map<std::string, Program> programs_in(const std::string& proc) {
    std::map<std::string, Program> programs;
    for (ProcessStat& each : process_stats(proc)) {
        programs[each.id] = {std::move(each.program), each.ticks};
    }
    return programs;
}

// The second column of each processor's line, in hexadecimal digits.
std::uint64_t dropped_of(const std::string& softnet) {
    std::uint64_t dropped = 0;
    for (const std::string& line : lines_of(softnet)) {
        std::istringstream words(line);
        std::uint64_t processed = 0;
        std::uint64_t of_processor = 0;
        words >> std::hex >> processed >> of_processor;
        dropped += of_processor;
    }
    return dropped;
}

// Of /proc/net/netstat and snmp: a line with names, and one with their values.
std::uint64_t counter_of(const std::string& text, std::string_view group, std::string_view name) {
    const std::vector<std::string> lines = lines_of(text);
    for (std::size_t at = 0; at + 1 < lines.size(); at += 2) {
        std::istringstream names(lines[at]);
        std::istringstream values(lines[at + 1]);
        std::string found;
        std::string value;
        while (names >> found && values >> value) {
            if (lines[at].starts_with(group) && found == name) {
                return std::strtoull(value.c_str(), nullptr, 10);
            }
        }
    }
    return 0;
}

std::uint64_t passed(std::uint64_t before, std::uint64_t after) {
    return after - std::min(before, after);
}

// Shares of their time.
struct Busy {
    double packets = 0;
    double all = 0;
};

std::vector<Busy> busy_of(const PlanesReading& before, const PlanesReading& after) {
    std::vector<Busy> busy;
    // A processor may have been switched off or on meanwhile.
    const std::size_t count = std::min(before.processors.size(), after.processors.size());
    for (std::size_t at = 0; at < count; ++at) {
        const Processor& then = before.processors[at];
        const Processor& now = after.processors[at];
        const auto ticks = static_cast<double>(passed(then.ticks, now.ticks));
        busy.push_back(ticks == 0
                           ? Busy{}
                           : Busy{static_cast<double>(passed(then.packets, now.packets)) / ticks,
                                  1 - static_cast<double>(passed(then.idle, now.idle)) / ticks});
    }
    return busy;
}

void judge_packets(const std::vector<Busy>& busy, std::vector<std::string>& findings) {
    const auto most = std::ranges::max_element(busy, {}, &Busy::packets);
    if (most == busy.end() || most->packets < kHigh) {
        return;
    }
    double others = 0;
    for (const Busy& each : busy) {
        others += &each == &*most ? 0 : each.all / static_cast<double>(busy.size() - 1);
    }
    const auto number = most - busy.begin();
    findings.push_back(
        busy.size() > 1 && others < kLow
            ? fmt::format("the data plane is the bottleneck: processor {} spends {:.0f} % of its "
                          "time on packets, and the others are busy for {:.0f} %: give the devices "
                          "more receive queues, or turn RPS on (docs/operate/tuning.md)",
                          number, 100 * most->packets, 100 * others)
            : fmt::format("the data plane is the bottleneck: processor {} spends {:.0f} % of its "
                          "time on packets, and the others have no time left: this node is too "
                          "small; move a gateway to another one, or give it more processors",
                          number, 100 * most->packets));
}

void judge_programs(const PlanesReading& before, const PlanesReading& after,
                    std::vector<std::string>& findings) {
    if (before.processors.empty() || after.processors.empty()) {
        return;
    }
    // The length for one processor, in whatever ticks.
    const auto ticks = static_cast<double>(
        passed(before.processors.front().ticks, after.processors.front().ticks));
    for (const auto& [id, program] : after.programs) {
        const auto then = before.programs.find(id);
        if (then == before.programs.end() || program.name.starts_with("ksoftirqd/")) {
            continue;
        }
        const auto used = static_cast<double>(passed(then->second.ticks, program.ticks));
        if (ticks > 0 && used >= kHigh * ticks) {
            findings.push_back(fmt::format(
                "the control plane is the bottleneck: {} (process {}) uses {:.0f} % of a "
                "processor: its log has what is asked of it; [admission] and `vpnha drain` keep "
                "new clients away",
                program.name, id, 100 * used / ticks));
        }
    }
}

}  // namespace

PlanesReading read_planes(const std::string& proc) {
    const std::string netstat = adapters::read_text(proc + "/net/netstat");
    return {.processors = processors_of(adapters::read_text(proc + "/stat")),
            .programs = programs_in(proc),
            .packets_dropped = dropped_of(adapters::read_text(proc + "/net/softnet_stat")),
            .connections_dropped = counter_of(netstat, "TcpExt:", "ListenDrops"),
            .datagrams_dropped =
                counter_of(adapters::read_text(proc + "/net/snmp"), "Udp:", "RcvbufErrors")};
}

std::vector<std::string> judge_planes(const PlanesReading& before, const PlanesReading& after) {
    std::vector<std::string> findings;
    judge_packets(busy_of(before, after), findings);
    judge_programs(before, after, findings);
    const auto add = [&findings](std::uint64_t dropped, std::string_view words) {
        if (dropped > 0) {
            findings.push_back(fmt::format("{} {}", dropped, words));
        }
    };
    add(passed(before.packets_dropped, after.packets_dropped),
        "packets were dropped just now, because no processor came to them in time: raise "
        "net.core.netdev_max_backlog, or see to receive queues and RPS (docs/operate/tuning.md)");
    add(passed(before.connections_dropped, after.connections_dropped),
        "connections were dropped just now, because a program does not accept them as fast as "
        "clients dial: spread the dials, by [admission] or a second gateway");
    add(passed(before.datagrams_dropped, after.datagrams_dropped),
        "UDP datagrams were dropped just now, because a program does not read them as fast as "
        "they come: `ss -uamp` has whose queue is full");
    return findings;
}

Result<std::vector<std::string>> look_at_planes() {
    const PlanesReading before = read_planes();
    if (before.processors.empty()) {
        return fail(Errc::unsupported, "/proc/stat names no processors");
    }
    sleep_for(kBetween);
    return judge_planes(before, read_planes());
}

}  // namespace vpnha::cli::looks
