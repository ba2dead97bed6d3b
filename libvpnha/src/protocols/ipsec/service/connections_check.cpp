// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/service/connections_check.hpp"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <iterator>
#include <set>
#include <utility>

#include "config/connection_pools.hpp"
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

// As charon reads a flag.
bool is_yes(const std::optional<std::string>& value) {
    constexpr std::array<const char*, 4> kYes{"1", "yes", "true", "enabled"};
    return value && std::ranges::any_of(kYes, [&value](const char* yes) {
               return strcasecmp(value->c_str(), yes) == 0;
           });
}

const config::StrongswanSection* section_in(const config::StrongswanSection* within,
                                            std::initializer_list<const char*> path) {
    for (const char* const name : path) {
        const auto found = within->sections.find(name);
        if (found == within->sections.end()) {
            return nullptr;
        }
        within = &found->second;
    }
    return within;
}

// charon's eap-radius sends accounting as well. A file that cannot be read yields no finding.
bool accounts_by_charon(const std::string& settings) {
    const auto loaded = adapters::load_strongswan(settings);
    if (!loaded) {
        return false;
    }
    for (const char* const program : {"charon-systemd", "charon"}) {
        const auto* const plugin = section_in(&loaded->top, {program, "plugins", "eap-radius"});
        if (plugin != nullptr && plugin->values.contains("accounting")) {
            return is_yes(plugin->values.at("accounting"));
        }
    }
    return false;
}

void add_pools(const config::StrongswanSection& connections, const std::string& settings,
               const std::vector<IpPrefix>& routed, config::ConnectionFindings& found) {
    const auto loaded = adapters::load_strongswan(settings);
    std::vector<std::string> wrong = config::findings_in_pools(
        connections, loaded ? loaded->top : config::StrongswanSection{}, routed);
    if (!loaded && !wrong.empty()) {
        wrong = {"pools: not looked at: " + loaded.error().detail};
    }
    found.warnings.insert(found.warnings.end(), wrong.begin(), wrong.end());
}

}  // namespace

config::ConnectionFindings find_in_connections(
    const config::Config& config, const std::function<Result<std::string>()>& list_rules,
    const adapters::ApparmorPlaces& apparmor, const std::string& settings) {
    const config::Gateway* const gateway = ipsec::find_gateway(config);
    config::ConnectionFindings found;
    if (gateway == nullptr) {
        return found;
    }
    if (gateway->accounting && accounts_by_charon(settings)) {
        found.warnings.push_back(
            "eap-radius has accounting = yes, and vpnhad accounts for IKEv2: a server has each "
            "session twice; set it to no in strongswan.conf");
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
    std::ranges::move(in_sections.warnings, std::back_inserter(found.warnings));
    std::string missing = missing_rule(config::moving_connections(all), list_rules);
    if (!missing.empty()) {
        found.warnings.push_back(std::move(missing));
    }
    if (gateway->netns.empty()) {
        add_pools(all, settings, gateway->protocols.get<ipsec::Table>()->virtual_pools, found);
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
