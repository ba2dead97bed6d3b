// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/service/connections_check.hpp"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "host/addresses/each_network.hpp"
#include "protocols/ipsec/service/charon_service.hpp"
#include "protocols/ipsec/service/ike_rule.hpp"
#include "protocols/ipsec/service/strongswan_files.hpp"
#include "protocols/ipsec/table.hpp"
#include "protocols/tables.hpp"
#include "vpnha/daemon.hpp"

namespace vpnha::runtime {

namespace {

// A finding; empty: clients that move stay with the gateway's addresses.
std::string missing_rule(const std::vector<std::string>& moving,
                         const std::function<Result<std::string>()>& list_rules) {
    if (moving.empty()) {
        return "";
    }
    const Result<bool> drops =
        list_rules().and_then([](const std::string& rules) { return drops_new_ike(rules); });
    const std::string rule = fmt::format(
        "connection {}: mobike is yes: clients learn all addresses of this node, and a rule is to "
        "keep them from those that do not move with the gateway: udp dport {{ 500, 4500 }} ct "
        "state "
        "new drop, behind what lets the gateway's addresses in",
        fmt::join(moving, ", "));
    if (!drops) {
        return fmt::format("{}: not looked at: {}", rule, drops.error().detail);
    }
    return *drops ? "" : fmt::format("{}: nftables has none on this node", rule);
}

}  // namespace

config::ConnectionFindings find_in_connections(
    const config::Config& config, const std::function<Result<std::string>()>& list_rules,
    const adapters::ApparmorPlaces& apparmor) {
    const config::Gateway* const gateway = ipsec::find_gateway(config);
    config::ConnectionFindings found;
    if (gateway == nullptr) {
        return found;
    }
    config::StrongswanSection all;
    bool is_whole = true;
    for (const std::string& file : gateway->protocols.get<ipsec::Table>()->connections) {
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
    std::string missing = missing_rule(config::moving_connections(all), list_rules);
    if (!missing.empty()) {
        found.warnings.push_back(std::move(missing));
    }
    return found;
}

}  // namespace vpnha::runtime

namespace vpnha {

Result<ConnectionsCheck> check_connections(const std::string& config_file) {
    VPNHA_TRY(const config::Config config, config::load(config_file));
    ConnectionsCheck check;
    VPNHA_CHECK(adapters::in_each_network(
        config, [&check](const config::Config& part, const std::string& where) -> Result<void> {
            const config::ConnectionFindings found = runtime::find_in_connections(part);
            for (const std::string& each : found.refused) {
                check.refused.push_back(where + each);
            }
            for (const std::string& each : found.warnings) {
                check.warnings.push_back(where + each);
            }
            return {};
        }));
    return check;
}

}  // namespace vpnha
