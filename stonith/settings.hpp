// SPDX-License-Identifier: GPL-2.0-or-later
// What fence_vpnha was told (FenceAgentAPI): by options, or without any by lines key=value on
// stdin, where unknown keys and comments are ignored and later lines win.
#pragma once

#include <chrono>
#include <istream>
#include <map>
#include <string>

#include "vpnha/result.hpp"

namespace vpnha::stonith {

enum class Mode {
    revoke,   // off: the other nodes take the victim's leases back.
    duel,     // off: the same, before a power device: of two nodes that do so one is left.
    yield,    // off: of two nodes the one that serves less waits before it cuts the other's power.
    confirm,  // off: its power is off already; the other one of two nodes is told so.
};

struct Settings {
    std::string action;
    std::string plug;
    std::string socket;
    std::string cibadmin_path;
    Mode mode = Mode::revoke;
    std::chrono::milliseconds timeout{};
    std::chrono::milliseconds wait{};   // The parameter delay, of fence agents.
    std::chrono::milliseconds delay{};  // delay_ms, of mode=yield.
    bool gated_only = false;
    bool help = false;
    bool version = false;
};

// By name; what was given, not yet judged.
using Given = std::map<std::string, std::string>;
[[nodiscard]] Given read_lines(std::istream& lines);
// Error invalid_argument: an option that does not exist, is abbreviated, or has no value.
[[nodiscard]] Result<Given> read_options(int count, char** words);

// Error invalid_argument names the value that is none.
[[nodiscard]] Result<Settings> settings_of(const Given& given);

// As XML, for the cluster's tools.
[[nodiscard]] std::string metadata();
[[nodiscard]] std::string usage();

}  // namespace vpnha::stonith
