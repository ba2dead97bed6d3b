// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/toml_value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "config/values.hpp"

namespace vpnha::config {

namespace {

bool is_path(const std::string& text) {
    return text.size() > 1 && text.front() == '/' && text.find('\0') == std::string::npos;
}

bool read_text(const Key& key, const std::string& text, Value& value) {
    value.text = text;
    const auto size = static_cast<std::int64_t>(text.size());
    switch (key.kind) {
        case Kind::label:
            return size == 0 || (is_label(text) && size <= key.max);
        case Kind::name:
            return is_name(text) && size <= key.max;
        case Kind::path:
            return is_path(text) && size >= key.min && size <= key.max;
        case Kind::interface:
            return is_interface_name(text);
        case Kind::log_level:
            return std::find(std::begin(kLogLevels), std::end(kLogLevels), text) !=
                   std::end(kLogLevels);
        case Kind::duration:
        case Kind::duration_or_auto: {
            if (key.kind == Kind::duration_or_auto && text == "auto") {
                return true;
            }
            const auto duration = parse_duration(text);
            value.duration = duration.value_or(std::chrono::milliseconds{});
            return duration && duration->count() >= key.min && duration->count() <= key.max;
        }
        case Kind::address: {
            const Result<Ipv4Address> address = parse_ipv4(text);
            value.address = address.value_or(Ipv4Address{});
            return address && is_unicast(IpAddress(*address));
        }
        case Kind::number:
        case Kind::flag:
        case Kind::vips:
        case Kind::pools:
        case Kind::neighbours:
        case Kind::nets:
        case Kind::zones:
        case Kind::servers:
        case Kind::hosts:
        case Kind::paths:
            return false;
    }
    return false;
}

std::optional<std::vector<std::string>> read_paths(const Key& key, const toml::node& node) {
    const toml::array* const array = node.as_array();
    if (array == nullptr || static_cast<std::int64_t>(array->size()) > key.max) {
        return std::nullopt;
    }
    std::vector<std::string> paths;
    for (const toml::node& element : *array) {
        const std::string path = element.value_exact<std::string>().value_or("");
        if (!is_path(path) || path.size() > kFilePathBytesMax ||
            std::find(paths.begin(), paths.end(), path) != paths.end()) {
            return std::nullopt;
        }
        paths.push_back(path);
    }
    return paths;
}

std::optional<std::vector<IpAddress>> read_neighbours(const Key& key, const toml::node& node) {
    const toml::array* const array = node.as_array();
    if (array == nullptr || static_cast<std::int64_t>(array->size()) > key.max) {
        return std::nullopt;
    }
    std::vector<IpAddress> addresses;
    for (const toml::node& element : *array) {
        const Result<IpAddress> address = parse_ip(element.value_exact<std::string>().value_or(""));
        if (!address || (!is_unicast(*address) && !is_link_local(*address)) ||
            std::find(addresses.begin(), addresses.end(), *address) != addresses.end()) {
            return std::nullopt;
        }
        addresses.push_back(*address);
    }
    return addresses;
}

std::optional<Ipv4Endpoint> read_server(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    const Result<Ipv4Address> address = parse_ipv4(text.substr(0, colon));
    if (!address || !is_unicast(IpAddress(*address)) || colon == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view digits = text.substr(colon + 1);
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), port);
    if (error != std::errc() || end != digits.end() || port == 0) {
        return std::nullopt;
    }
    return Ipv4Endpoint{*address, port};
}

std::optional<std::vector<Ipv4Endpoint>> read_servers(const Key& key, const toml::node& node) {
    const toml::array* const array = node.as_array();
    if (array == nullptr || static_cast<std::int64_t>(array->size()) > key.max) {
        return std::nullopt;
    }
    std::vector<Ipv4Endpoint> servers;
    for (const toml::node& element : *array) {
        const auto server = read_server(element.value_exact<std::string>().value_or(""));
        if (!server || std::find(servers.begin(), servers.end(), *server) != servers.end()) {
            return std::nullopt;
        }
        servers.push_back(*server);
    }
    return servers;
}

std::optional<std::vector<std::uint16_t>> read_zones(const Key& key, const toml::node& node) {
    const toml::array* const array = node.as_array();
    if (array == nullptr || static_cast<std::int64_t>(array->size()) > key.max) {
        return std::nullopt;
    }
    std::vector<std::uint16_t> zones;
    for (const toml::node& element : *array) {
        const std::int64_t zone = element.value_exact<std::int64_t>().value_or(-1);
        if (zone < 0 || zone > std::numeric_limits<std::uint16_t>::max() ||
            std::find(zones.begin(), zones.end(), zone) != zones.end()) {
            return std::nullopt;
        }
        zones.push_back(static_cast<std::uint16_t>(zone));
    }
    return zones;
}

// An error continues "'TEXT' in 'KEY' …".
Result<IpPrefix> read_prefix(const Key& key, const std::string& text) {
    const Result<IpPrefix> prefix = parse_ip_prefix(text);
    const auto refuse = [](std::string why) { return fail(Errc::invalid_config, std::move(why)); };
    if (key.kind == Kind::nets) {
        if (!prefix) {
            return refuse(fmt::format("is no net; write it like {}", key.example));
        }
        const IpPrefix net{prefix->address.masked(prefix->length), prefix->length};
        if (*prefix != net) {
            return refuse(fmt::format("is no net; write {}", to_string(net)));
        }
        return net;
    }
    if (!prefix || !is_unicast(prefix->address)) {
        return refuse(fmt::format("is no unicast address with a prefix length; write it like {}",
                                  key.example));
    }
    const std::uint8_t shortest = prefix->address.is_v4() ? 8 : 16;
    const IpAddress network = prefix->address.masked(prefix->length);
    if (key.kind == Kind::pools && (network != prefix->address || prefix->length < shortest)) {
        return refuse(
            fmt::format("is no net of clients; write {}",
                        to_string(IpPrefix{network, std::max(prefix->length, shortest)})));
    }
    if (key.kind == Kind::vips && prefix->length == 0) {
        return refuse(
            fmt::format("has the prefix length 0; give that of the interface's net, or {}",
                        prefix->address.bits()));
    }
    if (key.kind == Kind::vips && is_of_the_net(*prefix)) {
        return refuse("is the net's own or its broadcast address; give a host's");
    }
    return *prefix;
}

// Those that are good; each other one is an error of its own.
std::vector<BadValue> read_prefixes(const Key& key, const toml::array& array,
                                    std::vector<IpPrefix>& prefixes) {
    std::vector<BadValue> bad;
    for (const toml::node& element : array) {
        const std::string text = element.value_exact<std::string>().value_or("");
        const Result<IpPrefix> prefix = read_prefix(key, text);
        if (prefix) {
            prefixes.push_back(*prefix);
        } else {
            bad.push_back({line_of(element),
                           fmt::format("'{}' in '{}' {}", text, key.name, prefix.error().detail)});
        }
    }
    return bad;
}

// The same.
std::vector<BadValue> read_hosts(const Key& key, const toml::array& array,
                                 std::vector<HostPort>& hosts) {
    std::vector<BadValue> bad;
    for (const toml::node& element : array) {
        const std::string text = element.value_exact<std::string>().value_or("");
        const auto refuse = [&](std::string_view why) {
            bad.push_back({line_of(element), fmt::format("'{}' in '{}' {}", text, key.name, why)});
        };
        const std::optional<HostPort> host = parse_host_port(text, kWitnessPort);
        if (!host) {
            refuse(
                fmt::format("is no host with a port from 1 to 65535; write \"HOST:{0}\", or, of "
                            "IPv6, \"[ADDRESS]:{0}\"",
                            kWitnessPort));
        } else if (std::find(hosts.begin(), hosts.end(), *host) != hosts.end()) {
            refuse("is there already; leave it out");
        } else {
            hosts.push_back(*host);
        }
    }
    return bad;
}

}  // namespace

std::uint32_t line_of(const toml::node& node) {
    return node.source().begin.line;
}

std::vector<BadValue> read_toml_value(const Key& key, const toml::node& node, Value& value) {
    bool good = false;
    switch (key.kind) {
        case Kind::number: {
            const std::optional<std::int64_t> number = node.value_exact<std::int64_t>();
            good = number && *number >= key.min && *number <= key.max;
            value.number = number.value_or(0);
            break;
        }
        case Kind::flag: {
            const std::optional<bool> flag = node.value_exact<bool>();
            good = flag.has_value();
            value.flag = flag.value_or(false);
            break;
        }
        case Kind::paths: {
            const std::optional<std::vector<std::string>> paths = read_paths(key, node);
            good = paths.has_value();
            value.paths = paths.value_or(std::vector<std::string>{});
            break;
        }
        case Kind::neighbours: {
            const std::optional<std::vector<IpAddress>> addresses = read_neighbours(key, node);
            good = addresses.has_value();
            value.addresses = addresses.value_or(std::vector<IpAddress>{});
            break;
        }
        case Kind::servers: {
            const std::optional<std::vector<Ipv4Endpoint>> servers = read_servers(key, node);
            good = servers.has_value();
            value.servers = servers.value_or(std::vector<Ipv4Endpoint>{});
            break;
        }
        case Kind::hosts: {
            const toml::array* const array = node.as_array();
            if (array != nullptr && static_cast<std::int64_t>(array->size()) <= key.max) {
                return read_hosts(key, *array, value.hosts);
            }
            break;
        }
        case Kind::zones: {
            const std::optional<std::vector<std::uint16_t>> zones = read_zones(key, node);
            good = zones.has_value();
            value.zones = zones.value_or(std::vector<std::uint16_t>{});
            break;
        }
        case Kind::vips:
        case Kind::pools:
        case Kind::nets: {
            const toml::array* const array = node.as_array();
            if (array != nullptr && static_cast<std::int64_t>(array->size()) >= key.min &&
                static_cast<std::int64_t>(array->size()) <= key.max) {
                return read_prefixes(key, *array, value.prefixes);
            }
            break;
        }
        case Kind::label:
        case Kind::name:
        case Kind::path:
        case Kind::interface:
        case Kind::log_level:
        case Kind::duration:
        case Kind::duration_or_auto:
        case Kind::address: {
            const std::optional<std::string> text = node.value_exact<std::string>();
            good = text && read_text(key, *text, value);
            break;
        }
    }
    if (good) {
        return {};
    }
    return {
        {line_of(node), fmt::format("'{}' has a bad value; it takes {} {}, like {} = {}", key.name,
                                    describe_type(key).starts_with("array") ? "an" : "a",
                                    describe_type(key), key.name, key.example)}};
}

}  // namespace vpnha::config
