// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/tuning_settings.hpp"

#include <fmt/format.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <limits>
#include <sstream>
#include <system_error>

#include "host/os/network_descriptor.hpp"
#include "host/os/process.hpp"
#include "host/os/text_file.hpp"

namespace vpnha::adapters {

namespace {

using tuning::Machine;

constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();
// Devices on devices: a VLAN of a bond of a few.
constexpr unsigned kDepthMax = 8;

// For a setting with several values, separated by blanks as sysctl(8) accepts them.
std::string first_line(const std::string& path) {
    const std::string text = read_text(path);
    std::string line = text.substr(0, text.find('\n'));
    std::replace(line.begin(), line.end(), '\t', ' ');
    return line;
}

// `words`: the text for no limit.
std::optional<std::uint64_t> limit_of(std::string_view text, std::string_view words) {
    if (text == words) {
        return kUnlimited;
    }
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} ? std::optional(value) : std::nullopt;
}

// Old requests, one value each: any user may make them (dev_ethtool() in net/ethtool/ioctl.c).
std::optional<std::uint32_t> ask_device(int socket, const std::string& device,
                                        std::uint32_t request) {
    ethtool_value value{.cmd = request, .data = 0};
    ifreq asked{};
    device.copy(asked.ifr_name, sizeof asked.ifr_name - 1);
    asked.ifr_data = reinterpret_cast<char*>(&value);
    return ::ioctl(socket, SIOCETHTOOL, &asked) == 0 ? std::optional(value.data) : std::nullopt;
}

std::optional<bool> is_on(const std::optional<std::uint32_t>& value, std::uint32_t mask) {
    return value ? std::optional((*value & mask) != 0) : std::nullopt;
}

void read_queues(const std::string& directory, Machine::Device& device) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(directory + "/queues", error)) {
        if (entry.path().filename().string().starts_with("rx-")) {
            ++device.receive_queues;
            // A mask of processors in groups: "00000000,00000003".
            const std::string mask = first_line(entry.path() / "rps_cpus");
            device.steers_by_processor |= mask.find_first_not_of("0,") != std::string::npos;
        }
    }
}

// The device, and those below it: a VLAN's, a bond's.
void read_device(int socket, const TuningRoots& roots, const std::string& name, unsigned depth,
                 Machine& machine) {
    const std::string directory = fmt::format("{}/class/net/{}", roots.sys, name);
    std::error_code error;
    const bool is_known =
        std::any_of(machine.devices.begin(), machine.devices.end(),
                    [&name](const Machine::Device& each) { return each.name == name; });
    if (is_known || depth > kDepthMax) {
        return;
    }
    Machine::Device device{.name = name,
                           .lro = is_on(ask_device(socket, name, ETHTOOL_GFLAGS), ETH_FLAG_LRO),
                           .gro = is_on(ask_device(socket, name, ETHTOOL_GGRO), ~0U),
                           .tso = is_on(ask_device(socket, name, ETHTOOL_GTSO), ~0U)};
    device.is_hardware = std::filesystem::exists(directory + "/device", error);
    if (device.is_hardware) {
        read_queues(directory, device);
    }
    machine.devices.push_back(std::move(device));
    constexpr std::string_view kLower = "lower_";
    for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
        if (const std::string link = entry.path().filename(); link.starts_with(kLower)) {
            read_device(socket, roots, link.substr(kLower.size()), depth + 1, machine);
        }
    }
}

// "Max open files            1024                 524288               files"
std::optional<std::uint64_t> open_files_of(const std::string& limits) {
    constexpr std::string_view kName = "Max open files";
    std::istringstream lines(limits);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(kName)) {
            std::istringstream words(line.substr(kName.size()));
            std::string soft;
            words >> soft;
            return limit_of(soft, "unlimited");
        }
    }
    return std::nullopt;
}

// Of the unified hierarchy alone: Debian 12 has no other one. A group without such a file, as the
// root, has no limit.
std::optional<std::uint64_t> tasks_of(const std::string& cgroups, const TuningRoots& roots) {
    constexpr std::string_view kUnified = "0::";
    std::istringstream lines(cgroups);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(kUnified)) {
            continue;
        }
        const std::string top = roots.sys + "/fs/cgroup";
        std::error_code error;
        if (!std::filesystem::exists(top + "/cgroup.controllers", error)) {
            return std::nullopt;
        }
        std::uint64_t least = kUnlimited;
        for (std::string group = line.substr(kUnified.size()); group.size() > 1;
             group.resize(group.rfind('/'))) {
            const std::string bound = first_line(fmt::format("{}{}/pids.max", top, group));
            least = std::min(least, limit_of(bound, "max").value_or(kUnlimited));
        }
        return least;
    }
    return std::nullopt;
}

void read_daemons(const tuning::Demand& demand, const TuningRoots& roots, Machine& machine) {
    std::vector<std::string> names{"vpnhad"};
    names.insert(names.end(), demand.daemons.begin(), demand.daemons.end());
    for (const std::string& name : names) {
        for (const Process& process : processes_here(name)) {
            const std::string directory = fmt::format("{}/{}", roots.proc, process.pid);
            machine.daemons.push_back(
                {.name = name,
                 .open_files = open_files_of(read_text(directory + "/limits")),
                 .tasks = tasks_of(read_text(directory + "/cgroup"), roots)});
        }
    }
    machine.balances_interrupts = !processes_here("irqbalance").empty();
}

// The kernel loads the module for it. Not readable if it may not be opened here.
void read_socket(const tuning::Row& row, Machine& machine) {
    const bool is_there = static_cast<bool>(
        open_network_socket(row.socket->domain, row.socket->type, row.socket->protocol));
    if (is_there || errno == EAFNOSUPPORT || errno == EPROTONOSUPPORT) {
        machine.present.emplace(row.name, is_there);
    }
}

std::string kernel_release() {
    utsname name{};
    return ::uname(&name) == 0 ? name.release : "";
}

// Built in or loaded; or a file of it exists, which the kernel loads at its first use. Not readable
// if there is no list of modules, as with a custom kernel.
void read_module(const tuning::Row& row, const TuningRoots& roots, Machine& machine) {
    std::error_code error;
    if (std::filesystem::exists(fmt::format("{}/module/{}", roots.sys, row.module), error)) {
        machine.present.emplace(row.name, true);
        return;
    }
    const std::string lists = fmt::format("{}/{}", roots.modules, kernel_release());
    const std::string known =
        read_text(lists + "/modules.builtin") + read_text(lists + "/modules.dep");
    if (!known.empty()) {
        const bool is_there = known.find(fmt::format("/{}.ko", row.module)) != std::string::npos;
        machine.present.emplace(row.name, is_there);
    }
}

}  // namespace

tuning::Machine read_tuning(const tuning::Table& table, const tuning::Demand& demand,
                            const TuningRoots& roots) {
    Machine machine;
    for (const std::string& name : tuning::sysctls_read(table)) {
        std::string path = name;
        std::replace(path.begin(), path.end(), '.', '/');
        if (const std::string text = first_line(fmt::format("{}/sys/{}", roots.proc, path));
            !text.empty()) {
            machine.sysctls.emplace(name, text);
        }
    }
    std::vector<std::string> filters{"all", "default"};
    std::error_code error;
    const UniqueFd socket = open_network_socket(AF_INET, SOCK_DGRAM);
    for (const std::string& device : demand.devices) {
        if (!std::filesystem::exists(fmt::format("{}/class/net/{}", roots.sys, device), error)) {
            machine.absent_devices.insert(device);
            continue;
        }
        filters.push_back(device);
        read_device(socket.get(), roots, device, 0, machine);
    }
    for (const std::string& device : filters) {
        if (const std::string text =
                first_line(fmt::format("{}/sys/net/ipv4/conf/{}/rp_filter", roots.proc, device));
            !text.empty()) {
            machine.rp_filters.emplace(device, text);
        }
    }
    read_daemons(demand, roots, machine);
    for (const tuning::Row& row : table) {
        if (row.socket && matters(row, demand)) {
            read_socket(row, machine);
        }
        if (!row.module.empty() && matters(row, demand)) {
            read_module(row, roots, machine);
        }
    }
    machine.processors = static_cast<unsigned>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
    return machine;
}

}  // namespace vpnha::adapters
