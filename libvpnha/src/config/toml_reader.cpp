// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/toml_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/limits.hpp"
#include "config/schema.hpp"
#include "config/toml_value.hpp"
#include "config/values.hpp"

namespace vpnha::config {

namespace {

bool stands_in_gateway(const Section& section) {
    return section.is_per_gateway && section != Section::gateway;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
    if (const std::optional<std::string> meant = nearest(word, candidates)) {
        return fmt::format("did you mean '{}'?", *meant);
    }
    return fmt::format("known here: {}", fmt::join(candidates, ", "));
}

// The text with comments in ASCII; no value needs more. toml++ 3.3 runs into undefined behaviour on
// some characters beyond it (is_non_ascii_horizontal_whitespace).
std::optional<std::string> to_ascii(std::string_view toml, Errors& errors) {
    std::string text(toml);
    bool is_ascii = true;
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
                errors.add_at(line, "a character that is not ASCII; only comments may hold such");
                is_ascii = false;
                in_comment = true;  // Once a line.
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
    return is_ascii ? std::optional(text) : std::nullopt;
}

class Reader {
  public:
    Reader(std::string_view file_name, const Schema& schema)
        : schema_(schema), draft_{Config{}, Errors(file_name), {}} {}

    Draft read(std::string_view toml) {
        if (const std::optional<std::string> ascii = to_ascii(toml, draft_.errors)) {
            const toml::parse_result parsed = toml::parse(*ascii);
            if (parsed) {
                read_root(parsed.table());
            } else {
                draft_.errors.add_at(
                    parsed.error().source().begin.line,
                    fmt::format("this is not TOML: {}", parsed.error().description()));
            }
        }
        return std::move(draft_);
    }

  private:
    // Names of the tables that may occur within `section`'s.
    [[nodiscard]] std::vector<std::string> subtables_of(const Section& section) const {
        std::vector<std::string> names;
        if (section == Section::gateway) {
            for (const Section& each : schema_.sections()) {
                if (stands_in_gateway(each)) {
                    names.emplace_back(each.name);
                }
            }
        }
        return names;
    }

    void read_root(const toml::table& root) {
        for (const auto& [key, node] : root) {
            read_root_entry(key.str(), node);
        }
        const toml::table* const gateways = root["gateway"].as_table();
        if (!root.contains("gateway") || (gateways != nullptr && gateways->empty())) {
            draft_.errors.add_at(
                1,
                "no gateway is configured; add a table [gateway.NAME], see 'vpnha config example'");
        }
    }

    void read_root_entry(std::string_view name, const toml::node& node) {
        const auto section = std::ranges::find_if(schema_.sections(), [&](const Section& each) {
            return !stands_in_gateway(each) && each.name == name;
        });
        if (section == schema_.sections().end()) {
            std::vector<std::string> known;
            for (const Section& each : schema_.sections()) {
                if (!stands_in_gateway(each)) {
                    known.emplace_back(each.name);
                }
            }
            draft_.errors.add_at(line_of(node), fmt::format("unknown table or key '{}'; {}", name,
                                                            did_you_mean(name, known)));
            return;
        }
        const toml::table* const table = node.as_table();
        if (table == nullptr) {
            refuse(*section, "", line_of(node),
                   fmt::format("'{}' is a table; write it as [{}]", name,
                               header_of(*section, "NAME")));
        } else if (*section == Section::gateway) {
            read_gateways(*table);
        } else {
            Gateway none;
            meant_.clear();
            read_section(*section, *table, none);
            require_keys(*section, *table, none);
        }
    }

    void read_gateways(const toml::table& gateways) {
        for (const auto& [key, node] : gateways) {
            const toml::table* const table = node.as_table();
            if (table == nullptr) {
                draft_.errors.add_at(
                    line_of(node),
                    fmt::format("'{}' stands outside of a gateway; write it below [gateway.NAME]",
                                key.str()));
            } else if (!is_name(key.str()) || key.str().size() > limits::kGatewayNameBytesMax) {
                draft_.errors.add_at(
                    line_of(node),
                    fmt::format("'{}' is no name of a gateway; use letters, digits, - and _, a "
                                "letter or digit first, at most {}",
                                key.str(), limits::kGatewayNameBytesMax));
            } else {
                read_gateway(key.str(), *table);
            }
        }
    }

    void read_gateway(std::string_view name, const toml::table& table) {
        Gateway gateway;
        gateway.name = name;
        meant_.clear();
        read_section(Section::gateway, table, gateway);
        for (const Section& section : schema_.sections()) {
            if (stands_in_gateway(section)) {
                read_gateway_table(section, table, gateway);
            }
        }
        // The intended names of keys in other tables are known now.
        require_keys(Section::gateway, table, gateway);
        require_tables(table, gateway);
        // Derived and not stored as defaults, so that two gateways never share them.
        if (gateway.route_table == 0) {
            gateway.route_table = 1000U + gateway.id.value;
        }
        if (gateway.rule_preference == 0) {
            gateway.rule_preference = gateway.id.value;
        }
        draft_.config.gateways.push_back(std::move(gateway));
    }

    void read_gateway_table(const Section& section, const toml::table& gateway_table,
                            Gateway& gateway) {
        const toml::node* const node = gateway_table.get(section.name);
        if (node == nullptr) {
            return;
        }
        const toml::table* const table = node->as_table();
        if (table == nullptr) {
            refuse(section, gateway.name, line_of(*node),
                   fmt::format("'{}' is a table; write it as [{}]", section.name,
                               header_of(section, gateway.name)));
            return;
        }
        schema_.add_section(gateway, section);
        read_section(section, *table, gateway);
        require_keys(section, *table, gateway);
    }

    void read_section(const Section& section, const toml::table& table, Gateway& gateway) {
        // A table that exists only because of its subtables has the position of the first of them.
        std::uint32_t section_line = line_of(table);
        for (const auto& [key, node] : table) {
            section_line = section_line == 0 ? line_of(node) : section_line;
        }
        draft_.errors.set_line(section, gateway.name, "", section_line);
        for (const auto& [name, node] : table) {
            const std::vector<std::string> subtables = subtables_of(section);
            if (std::find(subtables.begin(), subtables.end(), name.str()) != subtables.end()) {
                continue;
            }
            const Key* const key = schema_.find(section, name.str());
            if (key == nullptr) {
                refuse_unknown(section, gateway, name.str(), line_of(node));
                continue;
            }
            draft_.errors.set_line(section, gateway.name, key->name, line_of(node));
            read_value(*key, node, gateway);
        }
    }

    void require_keys(const Section& section, const toml::table& table, const Gateway& gateway) {
        for (const Key& key : schema_.keys()) {
            if (key.section == section && key.fallback.empty() && !table.contains(key.name) &&
                meant_.count({section, std::string(key.name)}) == 0) {
                reject_gateway(
                    section, gateway.name,
                    fmt::format("[{}] has no '{}'; add a line like {} = {}",
                                header_of(section, gateway.name), key.name, key.name, key.example));
            }
        }
    }

    void require_tables(const toml::table& table, const Gateway& gateway) {
        const auto is_given = [&](const Section& section) {
            const std::string name(section.name);
            return table.contains(name) || meant_.count({Section::gateway, name}) != 0;
        };
        std::vector<std::string> protocols;
        bool serves = false;
        for (const Section& section : schema_.sections()) {
            if (section.is_required && !is_given(section)) {
                reject_gateway(Section::gateway, gateway.name,
                               fmt::format("[gateway.{}] has no table [{}]", gateway.name,
                                           header_of(section, gateway.name)));
            } else if (section.is_protocol) {
                serves = serves || is_given(section);
                protocols.push_back(fmt::format("[{}]", header_of(section, gateway.name)));
            }
        }
        if (!serves) {
            const std::string last = protocols.back();
            protocols.pop_back();
            reject_gateway(
                Section::gateway, gateway.name,
                fmt::format("[gateway.{}] has no protocol that clients may dial; add its table "
                            "{} or {}, which may be empty",
                            gateway.name, fmt::join(protocols, ", "), last));
        }
    }

    void refuse_unknown(const Section& section, const Gateway& gateway, std::string_view name,
                        std::uint32_t line) {
        const std::string header = header_of(section, gateway.name);
        if (const Key* const elsewhere = find_elsewhere(section, name)) {
            meant_.insert({elsewhere->section, std::string(name)});
            refuse(section, gateway.name, line,
                   fmt::format("'{}' is no key of [{}]; move it to [{}]", name, header,
                               header_of(elsewhere->section, gateway.name)));
            return;
        }
        std::vector<std::string> known = subtables_of(section);
        for (const Key& key : schema_.keys()) {
            if (key.section == section) {
                known.emplace_back(key.name);
            }
        }
        if (const std::optional<std::string> meant = nearest(name, known)) {
            meant_.insert({section, *meant});
        }
        refuse(
            section, gateway.name, line,
            fmt::format("unknown key '{}' in [{}]; {}", name, header, did_you_mean(name, known)));
    }

    // The key of that name, if just one other section has one: of a gateway's for a gateway's.
    [[nodiscard]] const Key* find_elsewhere(const Section& section, std::string_view name) const {
        const Key* found = nullptr;
        for (const Key& key : schema_.keys()) {
            if (key.name == name && key.section.is_per_gateway == section.is_per_gateway) {
                if (found != nullptr) {
                    return nullptr;
                }
                found = &key;
            }
        }
        return found;
    }

    void refuse(const Section& section, const std::string& gateway, std::uint32_t line,
                std::string_view what) {
        draft_.unsound.insert({section, gateway});
        draft_.errors.add_at(line, what);
    }

    // At the section's line.
    void reject_gateway(const Section& section, const std::string& gateway, std::string_view what) {
        draft_.unsound.insert({section, gateway});
        draft_.errors.add(section, gateway, "", what);
    }

    void read_value(const Key& key, const toml::node& node, Gateway& gateway) {
        Value value;
        const std::vector<BadValue> bad = read_toml_value(key, node, value);
        for (const BadValue& each : bad) {
            refuse(key.section, gateway.name, each.line, each.what);
        }
        // Of a list the valid elements are checked on.
        const auto* const nets = std::get_if<std::vector<IpPrefix>>(&value);
        if (bad.empty() || (nets != nullptr && !nets->empty())) {
            key.place.store(draft_.config, gateway, value);
        }
    }

    const Schema& schema_;
    Draft draft_;
    // Keys and tables of the gateway, or section, that is read: those that an unknown key was meant
    // to be.
    std::set<std::pair<Section, std::string>> meant_;
};

}  // namespace

Draft read_toml(std::string_view toml, std::string_view file_name, const Schema& schema) {
    return Reader(file_name, schema).read(toml);
}

}  // namespace vpnha::config
