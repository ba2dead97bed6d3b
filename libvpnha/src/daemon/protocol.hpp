// SPDX-License-Identifier: GPL-2.0-or-later
// A protocol that comes with the program and not with this library: one entry of a list, which a
// program hands to run_daemon(). tests/echo is one.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cluster/node/node.hpp"
#include "config/config.hpp"
#include "host/os/qb_loop.hpp"
#include "protocols/backend.hpp"
#include "protocols/families.hpp"

namespace vpnha::runtime {

// What a backend is opened with; all of it outlives the backend.
struct BackendHost {
    const config::Config& config;
    adapters::QbLoop& loop;
    std::string key_file;  // The cluster's key.
    int first_timer = 0;   // Of kTimersOfABackend.
    ports::Backend::Tell tell;
};

struct Protocol {
    keepers::Make keeper = nullptr;
    Result<std::unique_ptr<ports::Backend>> (*open)(BackendHost host) = nullptr;
};

// The library's own protocols, and these.
[[nodiscard]] std::vector<keepers::Make> families_with(std::span<const Protocol> others);

}  // namespace vpnha::runtime
