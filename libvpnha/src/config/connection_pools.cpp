// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/connection_pools.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <map>
#include <set>
#include <string_view>

namespace vpnha::config {

namespace {

constexpr std::string_view kSeparators = " \t,";
// Names of plugins that assign addresses from a source that no file here names.
constexpr std::array<std::string_view, 2> kProviders{"radius", "dhcp"};

const StrongswanSection* find(const StrongswanSection& top,
                              std::initializer_list<const char*> path) {
    const StrongswanSection* section = &top;
    for (const char* const name : path) {
        const auto found = section->sections.find(name);
        if (found == section->sections.end()) {
            return nullptr;
        }
        section = &found->second;
    }
    return section;
}

// Of charon-systemd, which inherits what charon has.
std::map<std::string, std::string> pools_of_ha(const StrongswanSection& settings) {
    std::map<std::string, std::string> pools;
    for (const char* const program : {"charon", "charon-systemd"}) {
        if (const auto* const own = find(settings, {program, "plugins", "ha", "pools"})) {
            for (const auto& [name, net] : own->values) {
                pools[name] = net.value_or("");
            }
        }
    }
    return pools;
}

std::set<std::string> named_pools(const StrongswanSection& connections) {
    std::set<std::string> names;
    const StrongswanSection* const all = find(connections, {"connections"});
    if (all == nullptr) {
        return names;
    }
    for (const auto& [name, connection] : all->sections) {
        const auto found = connection.values.find("pools");
        std::string_view left = found == connection.values.end() || !found->second
                                    ? std::string_view()
                                    : std::string_view(*found->second);
        while (!left.empty()) {
            left.remove_prefix(std::min(left.find_first_not_of(kSeparators), left.size()));
            const std::string_view word = left.substr(0, left.find_first_of(kSeparators));
            if (!word.empty()) {
                names.emplace(word);
            }
            left.remove_prefix(word.size());
        }
    }
    return names;
}

bool is_routed(const IpPrefix& net, const std::vector<IpPrefix>& routed) {
    return std::ranges::any_of(routed, [&net](const IpPrefix& each) {
        return each.length <= net.length && contains(each, net.address);
    });
}

}  // namespace

std::vector<std::string> findings_in_pools(const StrongswanSection& connections,
                                           const StrongswanSection& settings,
                                           const std::vector<IpPrefix>& routed) {
    const auto of_ha = pools_of_ha(settings);
    std::vector<std::string> findings;
    for (const std::string& name : named_pools(connections)) {
        const auto found = of_ha.find(name);
        if (found != of_ha.end()) {
            const auto net = parse_ip_prefix(found->second);
            if (!net || !is_routed(*net, routed)) {
                findings.push_back(
                    fmt::format("pool {}: no route leads to its clients; write \"{}\" to "
                                "virtual_pools of vpnha.toml",
                                name, found->second));
            }
        } else if (find(connections, {"pools", name.c_str()}) != nullptr) {
            findings.push_back(fmt::format(
                "pool {}: after a takeover two clients may get the same address of it; take it out "
                "of swanctl.conf, and write it to charon {{ plugins {{ ha {{ pools of "
                "strongswan.conf",
                name));
        } else if (std::ranges::find(kProviders, name) == kProviders.end()) {
            findings.push_back(fmt::format(
                "pool {}: there is none of that name in charon {{ plugins {{ ha {{ pools of "
                "strongswan.conf, so no client gets an address",
                name));
        }
    }
    return findings;
}

}  // namespace vpnha::config
