// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/toml_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "base/limits.hpp"
#include "config/values.hpp"

// Header-only and without exceptions: the packaged shared library throws.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
// Version 3.3 asserts that a header begins with a letter before it reports that it does not.
#define TOML_ASSERT(condition) static_assert(true)
#include <toml++/toml.h>

namespace vpnha::config {

namespace {

std::string place(Section section, std::string_view gateway, std::string_view key) {
    return fmt::format("{}:{}", header_of(section, gateway), key);
}

std::uint32_t line_of(const toml::node& node) {
    return node.source().begin.line;
}

constexpr Section kGatewayTables[] = {Section::outside, Section::inside, Section::links,
                                      Section::l2tp, Section::conntrack};

// Names of the tables that may stand within `section`'s.
std::vector<std::string> subtables_of(Section section) {
    std::vector<std::string> names;
    if (section == Section::gateway) {
        for (const Section each : kGatewayTables) {
            names.emplace_back(name_of(each));
        }
    }
    return names;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
    if (const std::optional<std::string> meant = nearest(word, candidates)) {
        return fmt::format("did you mean '{}'?", *meant);
    }
    return fmt::format("known here: {}", fmt::join(candidates, ", "));
}

// The text with comments in ASCII; no value needs more. toml++ 3.3 runs into undefined behaviour on
// some characters beyond it (is_non_ascii_horizontal_whitespace).
Result<std::string> to_ascii(std::string_view toml, const Lines& lines) {
    std::string text(toml);
    std::uint32_t line = 1;
    char quote = '\0';
    bool in_comment = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\n') {
            ++line;
            quote = '\0';
            in_comment = false;
        } else if ((static_cast<unsigned char>(c) & 0x80U) != 0) {
            if (!in_comment) {
                return lines.fail_at(line,
                                     "a character that is not ASCII; only comments may hold such");
            }
            text[i] = '?';
        } else if (quote != '\0') {
            i += c == '\\' && quote == '"' && i + 1 < text.size() && text[i + 1] != '\n' ? 1 : 0;
            quote = c == quote ? '\0' : quote;
        } else if (!in_comment) {
            in_comment = c == '#';
            quote = c == '"' || c == '\'' ? c : '\0';
        }
    }
    return text;
}

bool is_path(const std::string& text) {
    return text.size() > 1 && text.front() == '/' && text.find('\0') == std::string::npos;
}

class Reader {
  public:
    explicit Reader(std::string_view file_name) : draft_{Config{}, Lines(file_name)} {}

    Result<Draft> read(const toml::table& root) {
        for (const auto& [key, node] : root) {
            VPNHA_CHECK(read_root_entry(key.str(), node));
        }
        if (draft_.config.gateways.empty()) {
            return draft_.lines.fail_at(
                1,
                "no gateway is configured; add a table [gateway.NAME], see 'vpnha config example'");
        }
        return std::move(draft_);
    }

  private:
    Result<void> read_root_entry(std::string_view name, const toml::node& node) {
        const auto section = std::find_if(
            std::begin(kSections), std::end(kSections),
            [&](Section each) { return each <= Section::gateway && name_of(each) == name; });
        if (section == std::end(kSections)) {
            std::vector<std::string> known;
            for (const Section each : kSections) {
                if (each <= Section::gateway) {
                    known.emplace_back(name_of(each));
                }
            }
            return draft_.lines.fail_at(
                line_of(node),
                fmt::format("unknown table or key '{}'; {}", name, did_you_mean(name, known)));
        }
        const toml::table* const table = node.as_table();
        if (table == nullptr) {
            return draft_.lines.fail_at(line_of(node),
                                        fmt::format("'{}' is a table; write it as [{}]", name,
                                                    header_of(*section, "NAME")));
        }
        if (*section == Section::gateway) {
            return read_gateways(*table);
        }
        Gateway none;
        return read_section(*section, *table, none);
    }

    Result<void> read_gateways(const toml::table& gateways) {
        for (const auto& [key, node] : gateways) {
            const toml::table* const table = node.as_table();
            if (table == nullptr) {
                return draft_.lines.fail_at(
                    line_of(node),
                    fmt::format("'{}' stands outside of a gateway; write it below [gateway.NAME]",
                                key.str()));
            }
            if (!is_name(key.str()) || key.str().size() > limits::kGatewayNameBytesMax) {
                return draft_.lines.fail_at(
                    line_of(node),
                    fmt::format("'{}' is no name of a gateway; use letters, digits, - and _, a "
                                "letter or digit first, at most {}",
                                key.str(), limits::kGatewayNameBytesMax));
            }
            VPNHA_CHECK(read_gateway(key.str(), *table));
        }
        return {};
    }

    Result<void> read_gateway(std::string_view name, const toml::table& table) {
        Gateway gateway;
        gateway.name = name;
        VPNHA_CHECK(read_section(Section::gateway, table, gateway));
        for (const Section section : kGatewayTables) {
            const toml::node* const node = table.get(name_of(section));
            if (node == nullptr && (section == Section::links || section == Section::conntrack)) {
                continue;  // All its keys have defaults.
            }
            if (node == nullptr) {
                return draft_.lines.fail_at(Section::gateway, name, "",
                                            fmt::format("[gateway.{}] lacks its table [{}]", name,
                                                        header_of(section, name)));
            }
            if (!node->is_table()) {
                return draft_.lines.fail_at(
                    line_of(*node), fmt::format("'{}' is a table; write it as [{}]",
                                                name_of(section), header_of(section, name)));
            }
            VPNHA_CHECK(read_section(section, *node->as_table(), gateway));
        }
        // Derived and not stored as defaults, so that two gateways never share them.
        const std::uint32_t derived = 1000U + gateway.id.value;
        gateway.route_table = gateway.route_table == 0 ? derived : gateway.route_table;
        gateway.rule_preference = gateway.rule_preference == 0 ? derived : gateway.rule_preference;
        draft_.config.gateways.push_back(std::move(gateway));
        return {};
    }

    Result<void> read_section(Section section, const toml::table& table, Gateway& gateway) {
        // A table that only exists because of its subtables has the place of the first of them.
        std::uint32_t section_line = line_of(table);
        for (const auto& [key, node] : table) {
            section_line = section_line == 0 ? line_of(node) : section_line;
        }
        draft_.lines.set(section, gateway.name, "", section_line);
        for (const auto& [name, node] : table) {
            const std::vector<std::string> subtables = subtables_of(section);
            if (std::find(subtables.begin(), subtables.end(), name.str()) != subtables.end()) {
                continue;
            }
            const Key* const key = find_key(section, name.str());
            if (key == nullptr) {
                return unknown_key(section, gateway, name.str(), line_of(node));
            }
            draft_.lines.set(section, gateway.name, key->name, line_of(node));
            VPNHA_CHECK(read_value(*key, node, gateway));
        }
        for (const Key& key : all_keys()) {
            if (key.section == section && key.fallback.empty() && !table.contains(key.name)) {
                return draft_.lines.fail_at(
                    section, gateway.name, "",
                    fmt::format("[{}] lacks '{}'; add a line like {} = {}",
                                header_of(section, gateway.name), key.name, key.name, key.example));
            }
        }
        return {};
    }

    Result<void> unknown_key(Section section, const Gateway& gateway, std::string_view name,
                             std::uint32_t line) {
        std::vector<std::string> known = subtables_of(section);
        for (const Key& key : all_keys()) {
            if (key.section == section) {
                known.emplace_back(key.name);
            }
        }
        return draft_.lines.fail_at(
            line, fmt::format("unknown key '{}' in [{}]; {}", name,
                              header_of(section, gateway.name), did_you_mean(name, known)));
    }

    Result<void> read_value(const Key& key, const toml::node& node, Gateway& gateway) {
        Value value;
        bool good = false;
        if (key.kind == Kind::number) {
            const std::optional<std::int64_t> number = node.value_exact<std::int64_t>();
            good = number && *number >= key.min && *number <= key.max;
            value.number = number.value_or(0);
        } else if (key.kind == Kind::flag) {
            const std::optional<bool> flag = node.value_exact<bool>();
            good = flag.has_value();
            value.flag = flag.value_or(false);
        } else if (key.kind == Kind::paths) {
            const std::optional<std::vector<std::string>> paths = read_paths(key, node);
            good = paths.has_value();
            value.paths = paths.value_or(std::vector<std::string>{});
        } else if (key.kind == Kind::neighbours) {
            const std::optional<std::vector<IpAddress>> addresses = read_neighbours(key, node);
            good = addresses.has_value();
            value.addresses = addresses.value_or(std::vector<IpAddress>{});
        } else if (key.kind == Kind::zones) {
            const std::optional<std::vector<std::uint16_t>> zones = read_zones(key, node);
            good = zones.has_value();
            value.zones = zones.value_or(std::vector<std::uint16_t>{});
        } else if (key.kind == Kind::vips || key.kind == Kind::pools || key.kind == Kind::nets) {
            VPNHA_TRY(value.prefixes, read_prefixes(key, node));
            good = true;
        } else if (const auto text = node.value_exact<std::string>()) {
            good = read_text(key, *text, value);
        }
        if (!good) {
            return draft_.lines.fail_at(
                line_of(node),
                fmt::format("'{}' has a bad value; it takes {} {}, like {} = {}", key.name,
                            describe_type(key).starts_with("array") ? "an" : "a",
                            describe_type(key), key.name, key.example));
        }
        key.store(draft_.config, gateway, value);
        return {};
    }

    static bool read_text(const Key& key, const std::string& text, Value& value) {
        value.text = text;
        const auto size = static_cast<std::int64_t>(text.size());
        switch (key.kind) {
            case Kind::name:
                return is_name(text) && size <= key.max;
            case Kind::path:
                return is_path(text) && size >= key.min && size <= key.max;
            case Kind::interface:
                return is_interface_name(text);
            case Kind::log_level:
                return std::find(std::begin(kLogLevels), std::end(kLogLevels), text) !=
                       std::end(kLogLevels);
            case Kind::duration: {
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
            case Kind::paths:
                return false;
        }
        return false;
    }

    static std::optional<std::vector<std::string>> read_paths(const Key& key,
                                                              const toml::node& node) {
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

    static std::optional<std::vector<IpAddress>> read_neighbours(const Key& key,
                                                                 const toml::node& node) {
        const toml::array* const array = node.as_array();
        if (array == nullptr || static_cast<std::int64_t>(array->size()) > key.max) {
            return std::nullopt;
        }
        std::vector<IpAddress> addresses;
        for (const toml::node& element : *array) {
            const Result<IpAddress> address =
                parse_ip(element.value_exact<std::string>().value_or(""));
            if (!address || (!is_unicast(*address) && !is_link_local(*address)) ||
                std::find(addresses.begin(), addresses.end(), *address) != addresses.end()) {
                return std::nullopt;
            }
            addresses.push_back(*address);
        }
        return addresses;
    }

    static std::optional<std::vector<std::uint16_t>> read_zones(const Key& key,
                                                                const toml::node& node) {
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

    Result<std::vector<IpPrefix>> read_prefixes(const Key& key, const toml::node& node) {
        const toml::array* const array = node.as_array();
        if (array == nullptr || static_cast<std::int64_t>(array->size()) < key.min ||
            static_cast<std::int64_t>(array->size()) > key.max) {
            return draft_.lines.fail_at(
                line_of(node), fmt::format("'{}' has a bad value; it takes an {}, like {} = {}",
                                           key.name, describe_type(key), key.name, key.example));
        }
        std::vector<IpPrefix> prefixes;
        for (const toml::node& element : *array) {
            VPNHA_TRY(const IpPrefix prefix, read_prefix(key, element));
            prefixes.push_back(prefix);
        }
        return prefixes;
    }

    Result<IpPrefix> read_prefix(const Key& key, const toml::node& node) {
        const std::string text = node.value_exact<std::string>().value_or("");
        const Result<IpPrefix> prefix = parse_ip_prefix(text);
        const auto refuse = [&](std::string_view why) {
            return draft_.lines.fail_at(line_of(node),
                                        fmt::format("'{}' in '{}' {}", text, key.name, why));
        };
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
            return refuse(fmt::format(
                "is no unicast address with a prefix length; write it like {}", key.example));
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

    Draft draft_;
};

}  // namespace

void Lines::set(Section section, std::string_view gateway, std::string_view key,
                std::uint32_t line) {
    lines_[place(section, gateway, key)] = line;
}

tl::unexpected<Error> Lines::fail_at(Section section, std::string_view gateway,
                                     std::string_view key, std::string_view what) const {
    auto found = lines_.find(place(section, gateway, key));
    if (found == lines_.end()) {
        found = lines_.find(place(section, gateway, ""));
    }
    return fail_at(found == lines_.end() ? 1 : found->second, what);
}

tl::unexpected<Error> Lines::fail_at(std::uint32_t line, std::string_view what) const {
    return fail(Errc::invalid_config,
                fmt::format("{}:{}: {}", file_name_, std::max<std::uint32_t>(line, 1), what));
}

Result<Draft> read_toml(std::string_view toml, std::string_view file_name) {
    VPNHA_TRY(const std::string ascii, to_ascii(toml, Lines(file_name)));
    const toml::parse_result parsed = toml::parse(ascii);
    if (!parsed) {
        return Lines(file_name).fail_at(
            parsed.error().source().begin.line,
            fmt::format("this is not TOML: {}", parsed.error().description()));
    }
    return Reader(file_name).read(parsed.table());
}

}  // namespace vpnha::config
