// SPDX-License-Identifier: GPL-2.0-or-later
// charon's connections (swanctl.conf) as far as a takeover depends on them. Pure: text in, findings
// out.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.hpp"
#include "vpnha/result.hpp"

namespace vpnha::config {

// A file of strongSwan's format: values and sections by their names, those that come twice merged.
struct StrongswanSection {
    std::map<std::string, std::string> values;
    std::map<std::string, StrongswanSection> sections;
    std::vector<std::string> includes;  // Patterns of files, wherever they stand.

    void merge(const StrongswanSection& other);
};

// Malformed: with the number of the line.
[[nodiscard]] Result<StrongswanSection> parse_strongswan(std::string_view text);
// "8h", "3600"; nullopt: it is no time.
[[nodiscard]] std::optional<std::chrono::seconds> parse_strongswan_time(std::string_view text);

// What of the connections a takeover would suffer from, each in a sentence; `vips` are those of the
// gateway, without their lengths.
[[nodiscard]] std::vector<std::string> findings_in_connections(const StrongswanSection& all,
                                                               const std::set<IpAddress>& vips);

}  // namespace vpnha::config
