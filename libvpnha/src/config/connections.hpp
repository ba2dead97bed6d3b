// SPDX-License-Identifier: GPL-2.0-or-later
// charon's connections (swanctl.conf) as far as a takeover depends on them. Pure: sections in,
// findings out. docs/reference/options.md explains each option.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/ip.hpp"
#include "config/strongswan_file.hpp"

namespace vpnha::config {

// One sentence for each.
struct ConnectionFindings {
    // A takeover would not resume such SAs, or not safely: no gateway is served with these.
    std::vector<std::string> refused;
    // A takeover would suffer from these.
    std::vector<std::string> warnings;
};

// `all` as with_references() returns it; `vips` are those of the gateway, without their lengths.
[[nodiscard]] ConnectionFindings findings_in_connections(const StrongswanSection& all,
                                                         const std::set<IpAddress>& vips);
// Names of those whose clients may move to another address (MOBIKE), charon's default included.
[[nodiscard]] std::vector<std::string> moving_connections(const StrongswanSection& all);
// The refused ones among these that need no gateway.
[[nodiscard]] std::vector<std::string> refused_in_connections(const StrongswanSection& all);

}  // namespace vpnha::config
