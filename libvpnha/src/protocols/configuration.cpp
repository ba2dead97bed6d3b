// SPDX-License-Identifier: GPL-2.0-or-later
#include "vpnha/configuration.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "protocols/tables.hpp"

namespace vpnha {

namespace {

using config::Key;
using config::Section;

constexpr std::size_t kCommentColumnsMax = 96;

// `text` as comment lines of at most kCommentColumnsMax columns.
std::string comment(std::string_view text) {
    std::string lines;
    std::string line = "#";
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        if (line.size() + 1 + word.size() > kCommentColumnsMax) {
            lines += line + "\n";
            line = "#";
        }
        line += fmt::format(" {}", word);
        text.remove_prefix(std::min(text.size(), word.size() + 1));
    }
    return lines + line + "\n";
}

std::string show(const config::Config& config, const config::Gateway& gateway,
                 const Section& section) {
    std::string text = fmt::format("\n[{}]\n", header_of(section, gateway.name));
    for (const Key& key : config::schema().keys()) {
        if (key.section == section) {
            text += fmt::format("{} = {}\n", key.name, key.place.show(config, gateway));
        }
    }
    return text;
}

// A line that begins with a dot or a quote would be a request of roff.
std::string roff(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        if (c == '\\') {
            escaped += "\\e";
        } else if (c == '-') {
            escaped += "\\-";
        } else if (c == '"') {
            escaped += "\\(dq";
        } else {
            escaped += c;
        }
    }
    return escaped;
}

}  // namespace

Result<std::string> effective_configuration(const std::string& path) {
    VPNHA_TRY(const config::Config config, config::load(path));
    std::string text;
    for (const Section& section : config::schema().sections()) {
        if (!section.is_per_gateway) {
            text += show(config, config::Gateway{}, section);
        }
    }
    for (const config::Gateway& gateway : config.gateways) {
        for (const Section& section : config::schema().sections()) {
            if (section.is_per_gateway && has_section(gateway, section)) {
                text += show(config, gateway, section);
            }
        }
    }
    return text.substr(1);
}

Result<std::vector<std::string>> configuration_notes(const std::string& path) {
    VPNHA_TRY(const config::Config config, config::load(path));
    std::vector<std::string> notes;
    for (const config::Gateway& gateway : config.gateways) {
        if (!gateway.stand_in) {
            notes.push_back(fmt::format(
                "gateway {}: stand_in = false: after the death of the promoted node clients wait "
                "for Corosync, fencing and Pacemaker (1.4 s, 2.1 s if it was the coordinator) "
                "instead of a third of a second",
                gateway.name));
        }
        const auto is_v6 = [](const IpPrefix& net) { return !net.address.is_v4(); };
        if (std::any_of(gateway.pools.begin(), gateway.pools.end(), is_v6) &&
            std::none_of(gateway.inside.addresses.begin(), gateway.inside.addresses.end(), is_v6)) {
            notes.push_back(fmt::format(
                "gateway {}: pools has IPv6, and inside no IPv6 address: routers there have no "
                "next hop to the clients' networks of IPv6 that moves with the gateway",
                gateway.name));
        }
    }
    return notes;
}

std::vector<ConfigurationKey> configuration_keys() {
    std::vector<ConfigurationKey> keys;
    for (const Key& key : config::schema().keys()) {
        keys.push_back({header_of(key.section, "NAME"), std::string(key.name), describe_type(key),
                        std::string(key.fallback), std::string(key.help)});
    }
    return keys;
}

std::string configuration_example() {
    std::string text = "# SPDX-License-Identifier: GPL-2.0-or-later\n" +
                       comment(
                           "vpnha.toml(5): the same file on every node of the cluster. Keys that "
                           "are commented out "
                           "show their defaults. Check it with: vpnha doctor");
    bool serves = false;
    for (const Section& section : config::schema().sections()) {
        // A gateway serves a protocol because it has the table: one is enough for an example.
        const bool is_left_out = section.is_protocol && serves;
        serves |= section.is_protocol;
        text += fmt::format("\n{}{}[{}]\n", comment(section.help), is_left_out ? "#" : "",
                            header_of(section, "dialin"));
        for (const Key& key : config::schema().keys()) {
            if (key.section == section) {
                text += comment(key.help);
                text += fmt::format("{}{} = {}\n", key.fallback.empty() ? "" : "#", key.name,
                                    key.example);
            }
        }
    }
    return text;
}

std::string configuration_manual() {
    std::string text;
    for (const Section& section : config::schema().sections()) {
        text += fmt::format(".SS [{}]\n{}\n", roff(header_of(section, "NAME")), roff(section.help));
        for (const Key& key : config::schema().keys()) {
            if (key.section == section) {
                text += fmt::format(".TP\n.B {}\n{}\n.br\nTakes: {}. {}\n", roff(key.name),
                                    roff(key.help), roff(describe_type(key)),
                                    key.fallback.empty()
                                        ? "Must be given."
                                        : fmt::format("Default: {}.", roff(key.fallback)));
            }
        }
    }
    return text;
}

}  // namespace vpnha
