// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/node_load.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <numeric>
#include <sstream>
#include <vector>

#include "host/os/text_file.hpp"
#include "host/os/unique_fd.hpp"

namespace vpnha::adapters {

namespace {

// The numbers of a text, up to the first other word.
std::vector<std::uint64_t> numbers(const std::string& text) {
    std::vector<std::uint64_t> found;
    std::istringstream words(text);
    for (std::uint64_t value = 0; words >> value;) {
        found.push_back(value);
    }
    return found;
}

std::optional<Used> read_conntrack(const std::string& proc) {
    const auto count = numbers(read_text(proc + "/sys/net/netfilter/nf_conntrack_count"));
    const auto most = numbers(read_text(proc + "/sys/net/netfilter/nf_conntrack_max"));
    return count.empty() || most.empty() ? std::nullopt
                                         : std::optional(Used{count.front(), most.front()});
}

// The kernel assigns the lowest number that is free: below it all are in use.
std::optional<Used> read_own_descriptors() {
    const UniqueFd lowest(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return std::nullopt;
    }
    const std::uint64_t used =
        lowest ? static_cast<std::uint64_t>(lowest.get()) : std::uint64_t{limit.rlim_cur};
    return Used{used, limit.rlim_cur};
}

std::optional<Used> read_files(const std::string& proc) {
    const auto files = numbers(read_text(proc + "/sys/fs/file-nr"));
    return files.size() < 3 ? std::nullopt : std::optional(Used{files[0] - files[1], files[2]});
}

std::optional<Used> read_memory(const std::string& proc) {
    std::istringstream lines(read_text(proc + "/meminfo"));
    std::optional<std::uint64_t> total;
    std::optional<std::uint64_t> available;
    for (std::string line; std::getline(lines, line);) {
        const auto value = numbers(line.substr(line.find(':') + 1));
        if (line.starts_with("MemTotal:") && !value.empty()) {
            total = value.front();
        } else if (line.starts_with("MemAvailable:") && !value.empty()) {
            available = value.front();
        }
    }
    return total && available && *available <= *total
               ? std::optional(Used{*total - *available, *total})
               : std::nullopt;
}

// user, nice, system, idle, iowait, irq, softirq, steal; the guests' are in the first ones.
std::optional<Used> read_processor(const std::string& proc) {
    const std::string text = read_text(proc + "/stat");
    constexpr std::size_t kIdle = 3;
    constexpr std::size_t kIoWait = 4;
    constexpr std::size_t kKinds = 8;
    if (!text.starts_with("cpu ")) {
        return std::nullopt;
    }
    auto ticks = numbers(text.substr(4));
    if (ticks.size() < kKinds) {
        return std::nullopt;
    }
    ticks.resize(kKinds);
    const std::uint64_t all = std::accumulate(ticks.begin(), ticks.end(), std::uint64_t{0});
    return Used{all - ticks[kIdle] - ticks[kIoWait], all};
}

}  // namespace

NodeLoad read_node_load(const std::string& proc) {
    return {read_conntrack(proc), read_own_descriptors(), read_files(proc), read_memory(proc),
            read_processor(proc)};
}

}  // namespace vpnha::adapters
