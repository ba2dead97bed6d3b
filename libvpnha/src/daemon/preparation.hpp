// SPDX-License-Identifier: GPL-2.0-or-later
// The steps of a vpnhad before it touches anything of its node.
#pragma once

#include "config/config.hpp"
#include "host/os/state_lock.hpp"
#include "vpnha/daemon.hpp"

namespace vpnha::runtime {

struct Prepared {
    config::Config config;
    // Both to be held until everything else has ended.
    adapters::UniqueFd node_lock;
    adapters::StateLock lock;
};

// Reads the configuration, opens the log, and takes the node for this process.
[[nodiscard]] Result<Prepared> prepare(const DaemonOptions& options);

}  // namespace vpnha::runtime
