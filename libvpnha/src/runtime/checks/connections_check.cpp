// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/checks/connections_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "adapters/services/charon_service.hpp"
#include "adapters/services/strongswan_files.hpp"

namespace vpnha::runtime {

config::ConnectionFindings find_in_connections(const config::Config& config,
                                               const adapters::ApparmorPlaces& apparmor) {
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
            all.merge(loaded->top);
            const auto readable = adapters::check_may_read(
                adapters::confined_swanctl("/usr/sbin/swanctl"), loaded->files, apparmor);
            if (!readable) {
                found.refused.push_back(readable.error().detail);
            }
            continue;
        }
        is_whole = false;
        if (loaded.error().code == Errc::malformed) {
            found.refused.push_back(loaded.error().detail);
        } else {
            found.warnings.push_back("not looked at: " + loaded.error().detail);
        }
    }
    if (!is_whole) {
        return found;
    }
    std::set<IpAddress> vips;
    for (const IpPrefix& vip : gateway->outside.addresses) {
        vips.insert(vip.address);
    }
    config::ConnectionFindings in_sections = config::findings_in_connections(all, vips);
    found.refused.insert(found.refused.end(), in_sections.refused.begin(),
                         in_sections.refused.end());
    found.warnings = std::move(in_sections.warnings);
    return found;
}

}  // namespace vpnha::runtime
