// SPDX-License-Identifier: GPL-2.0-or-later
// Events of the log: docs/reference/control-protocol.md has the shape.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>

#include "host/os/event_ring.hpp"

namespace vpnha::runtime {

// `instance`: this life of vpnhad.
[[nodiscard]] nlohmann::json events_view(std::uint64_t instance,
                                         std::span<const adapters::Event> events);

}  // namespace vpnha::runtime
