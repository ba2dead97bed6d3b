// SPDX-License-Identifier: GPL-2.0-or-later
// The load of this machine, from /proc: a few short reads, however many sessions there are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace vpnha::adapters {

struct Used {
    std::uint64_t used = 0;
    std::uint64_t of = 0;
};

struct NodeLoad {
    // nullopt: cannot be read. Entries of this network namespace's table.
    std::optional<Used> conntrack;
    std::optional<Used> own_descriptors;  // Of this process, at least.
    std::optional<Used> files;            // Open, on the machine.
    std::optional<Used> memory_kib;
    std::optional<Used> processor_ticks;  // Busy, of all, since the boot.
};

// `proc`: where it is mounted.
[[nodiscard]] NodeLoad read_node_load(const std::string& proc = "/proc");

}  // namespace vpnha::adapters
