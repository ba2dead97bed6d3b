// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/vip/vip_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <sstream>

#include "base/limits.hpp"
#include "base/number.hpp"
#include "host/addresses/reply_routes.hpp"

namespace vpnha::adapters {

namespace {

constexpr std::uint32_t kVlanMax = 4094;
// Longer than RFC 5227 requires a host to wait; it delays a takeover.
constexpr std::uint32_t kProbeMax = 10'000;
constexpr std::uint32_t kNumberMax = std::numeric_limits<std::uint32_t>::max();

struct Field {
    const char* name;
    std::string VipParameters::*value;
};
constexpr std::array<Field, 9> kFields{{{"addresses", &VipParameters::addresses},
                                        {"interface", &VipParameters::interface},
                                        {"vlan", &VipParameters::vlan},
                                        {"table", &VipParameters::table},
                                        {"rule_mark", &VipParameters::rule_mark},
                                        {"rule_preference", &VipParameters::rule_preference},
                                        {"default_via", &VipParameters::default_via},
                                        {"rp_filter", &VipParameters::rp_filter},
                                        {"probe_ms", &VipParameters::probe_ms}}};

tl::unexpected<Error> wrong(std::string_view name, std::string_view what) {
    return fail(Errc::invalid_config, fmt::format("parameter {}: {}", name, what));
}

// Decimal, or hexadecimal with 0x.
Result<std::uint32_t> number(std::string_view name, std::string_view text, std::uint32_t low,
                             std::uint32_t high) {
    const bool hexadecimal = text.substr(0, 2) == "0x";
    const std::string_view digits = text.substr(hexadecimal ? 2 : 0);
    const auto value = parse_whole<std::uint32_t>(digits, hexadecimal ? 16 : 10);
    if (!value || *value < low || *value > high) {
        return wrong(name, fmt::format("'{}' is no number from {} to {}", text, low, high));
    }
    return *value;
}

std::vector<std::string> words_of(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) {
        words.push_back(word);
    }
    return words;
}

Result<std::vector<IpPrefix>> parse_addresses(const std::string& text) {
    std::vector<IpPrefix> addresses;
    for (const std::string& word : words_of(text)) {
        const auto address = parse_ip_prefix(word);
        if (!address) {
            return wrong("addresses", address.error().detail);
        }
        if (std::find(addresses.begin(), addresses.end(), *address) != addresses.end()) {
            return wrong("addresses", fmt::format("{} stands there twice", word));
        }
        addresses.push_back(*address);
    }
    if (addresses.empty() || addresses.size() > limits::kAddressesPerSideMax) {
        return wrong("addresses", fmt::format("{} of them; one resource has 1 to {}",
                                              addresses.size(), limits::kAddressesPerSideMax));
    }
    return addresses;
}

Result<std::optional<char>> parse_rp_filter(const std::string& text) {
    if (text == "keep") {
        return std::nullopt;
    }
    if (text == "strict" || text == "loose") {
        return text == "strict" ? '1' : '2';
    }
    return wrong("rp_filter", fmt::format("'{}' is none of keep, loose, strict", text));
}

Result<void> parse_device(const VipParameters& parameters, VipSettings& settings) {
    settings.interface = parameters.interface;
    if (!parameters.vlan.empty()) {
        VPNHA_TRY(const std::uint32_t vlan, number("vlan", parameters.vlan, 1, kVlanMax));
        settings.vlan = static_cast<std::uint16_t>(vlan);
        settings.parent = parameters.interface;
        settings.interface = fmt::format("{}.{}", settings.parent, vlan);
    }
    // A slash would lead out of the kernel's directory of settings.
    if (settings.interface.empty() || settings.interface.find('/') != std::string::npos ||
        settings.interface.size() > limits::kInterfaceNameBytesMax) {
        return wrong("interface", fmt::format("'{}' is no name of an interface; it has 1 to {} "
                                              "characters",
                                              settings.interface, limits::kInterfaceNameBytesMax));
    }
    return {};
}

Result<void> parse_routing(const VipParameters& parameters, VipSettings& settings) {
    if (parameters.table.empty()) {
        if (!parameters.rule_mark.empty() || !parameters.default_via.empty()) {
            return wrong("table", "is missing; rule_mark and default_via need it");
        }
        return {};
    }
    VPNHA_TRY(settings.table, number("table", parameters.table, 1, kNumberMax));
    if (settings.table >= 253 && settings.table <= 255) {
        return wrong("table", "253 to 255 are the kernel's own; take another one");
    }
    VPNHA_TRY(settings.rule_preference,
              number("rule_preference", parameters.rule_preference, 1, 32'765));
    if (!parameters.rule_mark.empty()) {
        VPNHA_TRY(settings.rule_mark, number("rule_mark", parameters.rule_mark, 1, kNumberMax));
    }
    for (const std::string& word : words_of(parameters.default_via)) {
        const auto via = parse_ip(word);
        if (!via) {
            return wrong("default_via", via.error().detail);
        }
        if (!settings.uses(!via->is_v4())) {
            return wrong("default_via", fmt::format("no address is of the family of {}", word));
        }
        for (const IpAddress& other : settings.default_via) {
            if (other.is_v4() == via->is_v4()) {
                return wrong("default_via", "has two addresses of one family");
            }
        }
        settings.default_via.push_back(*via);
    }
    return {};
}

}  // namespace

bool VipSettings::uses(bool is_v6) const {
    return std::any_of(addresses.begin(), addresses.end(), [is_v6](const IpPrefix& address) {
        return address.address.is_v4() != is_v6;
    });
}

std::vector<PolicyRule> VipSettings::rules() const {
    std::vector<PolicyRule> rules;
    if (table == 0) {
        return rules;
    }
    if (rule_mark) {
        for (const bool is_v6 : {false, true}) {
            if (uses(is_v6)) {
                rules.push_back({.is_v6 = is_v6,
                                 .from = std::nullopt,
                                 .mark = rule_mark,
                                 .table = table,
                                 .preference = rule_preference});
            }
        }
        return rules;
    }
    return rules_from(addresses, table, rule_preference);
}

std::vector<TableRoute> VipSettings::routes() const {
    return routes_by(default_via, addresses, table);
}

Result<VipSettings> parse_vip_parameters(const VipParameters& parameters) {
    VipSettings settings;
    VPNHA_TRY(settings.addresses, parse_addresses(parameters.addresses));
    VPNHA_CHECK(parse_device(parameters, settings));
    VPNHA_CHECK(parse_routing(parameters, settings));
    VPNHA_TRY(settings.rp_filter, parse_rp_filter(parameters.rp_filter));
    VPNHA_TRY(const std::uint32_t probe, number("probe_ms", parameters.probe_ms, 0, kProbeMax));
    settings.probe = std::chrono::milliseconds(probe);
    return settings;
}

std::string to_text(const VipParameters& parameters) {
    std::string text;
    for (const Field& field : kFields) {
        text += fmt::format("{}={}\n", field.name, parameters.*field.value);
    }
    return text;
}

VipParameters read_vip_parameters(const std::string& text) {
    VipParameters parameters;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t equals = std::min(line.find('='), line.size());
        for (const Field& field : kFields) {
            if (line.substr(0, equals) == field.name) {
                parameters.*field.value = line.substr(std::min(equals + 1, line.size()));
            }
        }
    }
    return parameters;
}

}  // namespace vpnha::adapters
