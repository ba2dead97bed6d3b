// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/toml_value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "base/limits.hpp"
#include "config/values.hpp"

namespace vpnha::config {

namespace {

bool is_path(const std::string& text) {
    return text.size() > 1 && text.front() == '/' && text.find('\0') == std::string::npos;
}

std::string text_of(const toml::node& node) {
    return node.value_exact<std::string>().value_or("");
}

bool is_good(const Key& key, const std::string& text) {
    const auto size = static_cast<std::int64_t>(text.size());
    switch (key.kind) {
        case Kind::label:
            return size == 0 || (is_label(text) && size <= key.max);
        case Kind::name:
            return (size == 0 && key.min == 0) || (is_name(text) && size <= key.max);
        case Kind::path:
            return is_path(text) && size >= key.min && size <= key.max;
        case Kind::interface:
            return is_interface_name(text);
        case Kind::log_level:
            return std::ranges::find(kLogLevels, text) != std::end(kLogLevels);
        case Kind::duration_or_auto:
            return text == "auto";
        default:
            return false;
    }
}

std::optional<Value> read_text(const Key& key, const std::string& text) {
    if (is_good(key, text)) {
        return text;
    }
    if (key.kind == Kind::duration || key.kind == Kind::duration_or_auto) {
        const auto duration = parse_duration(text);
        return duration && duration->count() >= key.min && duration->count() <= key.max
                   ? std::optional<Value>(*duration)
                   : std::nullopt;
    }
    if (key.kind == Kind::rate) {
        const auto rate = parse_rate(text);
        return rate ? std::optional<Value>(*rate) : std::nullopt;
    }
    const Result<Ipv4Address> address = parse_ipv4(text);
    return key.kind == Kind::address && address && is_unicast(IpAddress(*address))
               ? std::optional<Value>(*address)
               : std::nullopt;
}

// Elements that `read` accepts, each once.
template <class Element, class Read>
std::optional<Value> read_list(const Key& key, const toml::node& node, const Read& read) {
    const toml::array* const array = node.as_array();
    if (array == nullptr || static_cast<std::int64_t>(array->size()) > key.max) {
        return std::nullopt;
    }
    std::vector<Element> list;
    for (const toml::node& each : *array) {
        const std::optional<Element> element = read(each);
        if (!element || std::ranges::find(list, *element) != list.end()) {
            return std::nullopt;
        }
        list.push_back(*element);
    }
    return list;
}

std::optional<std::string> read_path(const toml::node& node) {
    const std::string path = text_of(node);
    return is_path(path) && path.size() <= kFilePathBytesMax ? std::optional(path) : std::nullopt;
}

std::optional<IpAddress> read_neighbour(const toml::node& node) {
    const Result<IpAddress> address = parse_ip(text_of(node));
    return address && (is_unicast(*address) || is_link_local(*address)) ? std::optional(*address)
                                                                        : std::nullopt;
}

std::optional<std::uint16_t> read_zone(const toml::node& node) {
    const std::int64_t zone = node.value_exact<std::int64_t>().value_or(-1);
    return zone >= 0 && zone <= std::numeric_limits<std::uint16_t>::max()
               ? std::optional(static_cast<std::uint16_t>(zone))
               : std::nullopt;
}

std::optional<Ipv4Endpoint> read_server(const toml::node& node) {
    const std::string whole = text_of(node);
    const std::string_view text = whole;
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

// An error follows the words "'TEXT' in 'KEY' …".
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

// The valid ones; each other one is an error of its own.
std::vector<BadValue> read_prefixes(const Key& key, const toml::array& array, Value& value) {
    auto& prefixes = value.emplace<std::vector<IpPrefix>>();
    std::vector<BadValue> bad;
    for (const toml::node& element : array) {
        const std::string text = text_of(element);
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
std::vector<BadValue> read_hosts(const Key& key, const toml::array& array, Value& value) {
    auto& hosts = value.emplace<std::vector<HostPort>>();
    std::vector<BadValue> bad;
    for (const toml::node& element : array) {
        const std::string text = text_of(element);
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

// The same.
std::vector<BadValue> read_user_rates(const Key& key, const toml::array& array, Value& value) {
    auto& users = value.emplace<std::vector<UserRate>>();
    std::vector<BadValue> bad;
    for (const toml::node& element : array) {
        const std::string text = text_of(element);
        const auto refuse = [&](std::string_view why) {
            bad.push_back({line_of(element), fmt::format("'{}' in '{}' {}", text, key.name, why)});
        };
        // A name may have blanks.
        const std::size_t blank = text.rfind(' ');
        const std::string user = text.substr(0, std::min(blank, text.size()));
        const auto rate = blank == std::string::npos
                              ? std::nullopt
                              : parse_rate(std::string_view(text).substr(blank + 1));
        if (!rate || user.empty() || user.size() > limits::kUserNameBytesMax) {
            refuse(fmt::format("is no user with a rate; write it like {}", key.example));
        } else if (std::ranges::find(users, user, &UserRate::user) != users.end()) {
            refuse("has a user that is there already; leave it out");
        } else {
            users.push_back({user, *rate});
        }
    }
    return bad;
}

}  // namespace

std::uint32_t line_of(const toml::node& node) {
    return node.source().begin.line;
}

std::vector<BadValue> read_toml_value(const Key& key, const toml::node& node, Value& value) {
    const toml::array* const array = node.as_array();
    const auto size = array == nullptr ? -1 : static_cast<std::int64_t>(array->size());
    std::optional<Value> found;
    switch (key.kind) {
        case Kind::number: {
            const std::optional<std::int64_t> number = node.value_exact<std::int64_t>();
            if (number && *number >= key.min && *number <= key.max) {
                found = *number;
            }
            break;
        }
        case Kind::flag:
            if (const std::optional<bool> flag = node.value_exact<bool>()) {
                found = *flag;
            }
            break;
        case Kind::paths:
            found = read_list<std::string>(key, node, read_path);
            break;
        case Kind::neighbours:
            found = read_list<IpAddress>(key, node, read_neighbour);
            break;
        case Kind::servers:
            found = read_list<Ipv4Endpoint>(key, node, read_server);
            break;
        case Kind::zones:
            found = read_list<std::uint16_t>(key, node, read_zone);
            break;
        case Kind::hosts:
            if (size >= 0 && size <= key.max) {
                return read_hosts(key, *array, value);
            }
            break;
        case Kind::user_rates:
            if (size >= 0 && size <= key.max) {
                return read_user_rates(key, *array, value);
            }
            break;
        case Kind::vips:
        case Kind::pools:
        case Kind::nets:
            if (size >= 0 && size >= key.min && size <= key.max) {
                return read_prefixes(key, *array, value);
            }
            break;
        default:
            if (const auto text = node.value_exact<std::string>()) {
                found = read_text(key, *text);
            }
    }
    if (found) {
        value = *std::move(found);
        return {};
    }
    return {
        {line_of(node), fmt::format("'{}' has a bad value; it takes {} {}, like {} = {}", key.name,
                                    describe_type(key).starts_with("array") ? "an" : "a",
                                    describe_type(key), key.name, key.example)}};
}

}  // namespace vpnha::config
