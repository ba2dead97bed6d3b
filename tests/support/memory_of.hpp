// SPDX-License-Identifier: GPL-2.0-or-later
// What root finds in the memory of a process, and in files.
#pragma once

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace vpnha {

// Stretches of so many octets are looked for: what a register or two leave behind is found too.
inline constexpr std::size_t kTrace = 16;

// How often a stretch of `wanted` stands in `content`. In one go: the memory of a corosync has 100
// MB.
inline std::size_t traces_in(ByteView content, ByteView wanted) {
    std::array<std::vector<ByteView>, 256> by_first;
    for (std::size_t at = 0; at + kTrace <= wanted.size(); at += sizeof(std::uint64_t)) {
        by_first[wanted[at]].push_back(wanted.subspan(at, kTrace));
    }
    std::size_t count = 0;
    for (std::size_t at = 0; at + kTrace <= content.size(); ++at) {
        for (const ByteView trace : by_first[content[at]]) {
            count += std::equal(trace.begin(), trace.end(), content.begin() + at) ? 1 : 0;
        }
    }
    return count;
}

// In all that the process has mapped.
inline std::size_t traces_in_process(pid_t process, ByteView wanted) {
    const std::string directory = "/proc/" + std::to_string(process);
    std::ifstream maps(directory + "/maps");
    const int memory = ::open((directory + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
    std::size_t count = 0;
    for (std::string line; std::getline(maps, line);) {
        std::size_t from = 0;
        std::size_t to = 0;
        // A sanitizer's shadow has terabytes, and no octet of the program's.
        constexpr std::size_t kMappingMax = std::size_t{1} << 30;
        if (std::sscanf(line.c_str(), "%zx-%zx r", &from, &to) != 2 || to - from > kMappingMax) {
            continue;
        }
        Bytes content(to - from);
        const ssize_t got =
            ::pread(memory, content.data(), content.size(), static_cast<off_t>(from));
        content.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
        count += traces_in(content, wanted);
    }
    ::close(memory);
    return count;
}

// In the regular files under a directory.
inline std::size_t traces_in_files(const std::string& directory, ByteView wanted) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
        if (entry.is_regular_file()) {
            std::ifstream file(entry.path(), std::ios::binary);
            const Bytes content{std::istreambuf_iterator<char>(file), {}};
            count += traces_in(content, wanted);
        }
    }
    return count;
}

}  // namespace vpnha
