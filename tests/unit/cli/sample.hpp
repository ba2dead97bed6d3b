// SPDX-License-Identifier: GPL-2.0-or-later
// Results as vpnhad gives them: the examples of docs/reference/control-protocol.md.
#pragma once

#include "support/documented.hpp"

namespace vpnha::cli {

inline nlohmann::json sample_status() {
    return documented("status");
}

inline nlohmann::json sample_gate() {
    return documented("gate");
}

inline nlohmann::json sample_plan() {
    return documented("plan");
}

inline nlohmann::json sample_sessions() {
    return documented("sessions");
}

}  // namespace vpnha::cli
