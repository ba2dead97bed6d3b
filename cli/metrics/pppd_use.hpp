// SPDX-License-Identifier: GPL-2.0-or-later
// The resources that this node's pppds use, from /proc. It reads a file for each process of the
// node, so vpnhad must not call it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace vpnha::cli {

struct PppdUse {
    std::uint64_t processes = 0;
    std::uint64_t memory_bytes = 0;  // Resident; shared pages count for each process.
    // Of pppd and of the daemons that start it, with their children that have ended.
    double processor_s = 0;
};

// nullopt: this process may not see those of others.
[[nodiscard]] std::optional<PppdUse> read_pppd_use(const std::string& proc = "/proc");

}  // namespace vpnha::cli
