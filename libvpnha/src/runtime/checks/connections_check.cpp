// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/checks/connections_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "adapters/services/strongswan_files.hpp"

namespace vpnha::runtime {

config::ConnectionFindings find_in_connections(const config::Config& config) {
    const auto gateway =
        std::find_if(config.gateways.begin(), config.gateways.end(),
                     [](const config::Gateway& each) { return each.ipsec.has_value(); });
    config::ConnectionFindings found;
    if (gateway == config.gateways.end()) {
        return found;
    }
    config::StrongswanSection all;
    bool is_whole = true;
    for (const std::string& file : gateway->ipsec->connections) {
        const auto loaded = adapters::load_strongswan(file);
        if (loaded) {
            all.merge(*loaded);
        } else if (loaded.error().code == Errc::malformed) {
            found.refused.push_back(loaded.error().detail);
        } else {
            is_whole = false;
            found.warnings.push_back("not looked at: " + loaded.error().detail);
        }
    }
    if (!is_whole || !found.refused.empty()) {
        return found;
    }
    std::set<IpAddress> vips;
    for (const IpPrefix& vip : gateway->outside.addresses) {
        vips.insert(vip.address);
    }
    return config::findings_in_connections(all, vips);
}

}  // namespace vpnha::runtime
