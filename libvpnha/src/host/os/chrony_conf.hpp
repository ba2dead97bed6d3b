// SPDX-License-Identifier: GPL-2.0-or-later
// The limit in chrony's configuration for how fast it may make the clock run. Read as chronyd reads
// it: chrony.conf, its included files, and the *.conf files of its confdirs; the last maxslewrate
// counts. Files of a sourcedir hold servers only. Not seen: a file or directives on the command
// line of chronyd.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "vpnha/result.hpp"

namespace vpnha::adapters {

struct SlewLimit {
    double ppm = 1e6 / 12;  // chrony's default, and never above what Linux lets it set: 100 000.
    std::string where{};    // "/etc/chrony/chrony.conf:12"; empty: no file sets it.
};

inline constexpr std::array<const char*, 2> kChronyConfs{"/etc/chrony/chrony.conf",
                                                         "/etc/chrony.conf"};

// nullopt: there is no such file. Errors: permission and system for a file that cannot be read;
// invalid_config, with file and line, for a file with which chronyd does not start.
[[nodiscard]] Result<std::optional<SlewLimit>> read_slew_limit(const std::string& chrony_conf);

}  // namespace vpnha::adapters
