// SPDX-License-Identifier: GPL-2.0-or-later
// All tables and keys of vpnha.toml: those of each gateway, and those of its protocols. The reader,
// its error messages, `vpnha config keys`, the example file and the manual page use it, so that
// none of them can miss a key.
#pragma once

#include <any>
#include <string_view>
#include <vector>

#include "config/errors.hpp"
#include "config/keys.hpp"
#include "config/served.hpp"

namespace vpnha::config {

// The part of vpnha.toml of one protocol: the table [gateway.NAME.PROTOCOL] with its keys, checks
// and facts. Each protocol has one of these in its folder.
struct Protocol {
    Section section;
    std::vector<Key> (*keys)();
    std::any (*make)();  // The table, with its defaults.
    Facts (*facts)(const std::any& table);
    // Adds contradictions to other values of the configuration; nullptr: there can be none.
    void (*check)(const Gateway& gateway, const Config& config, Errors& errors) = nullptr;
};

// `Table` has keys(), facts() and, if needed, check().
template <class Table>
constexpr Protocol protocol_of(std::string_view name, std::string_view help) {
    Protocol protocol{
        {name, help, true, false, true},
        &Table::keys,
        [] { return std::any(Table()); },
        [](const std::any& table) { return std::any_cast<const Table&>(table).facts(); }};
    if constexpr (requires { &Table::check; }) {
        protocol.check = &Table::check;
    }
    return protocol;
}

class Schema {
  public:
    explicit Schema(std::vector<const Protocol*> protocols);

    // In the order of the file.
    [[nodiscard]] const std::vector<Section>& sections() const { return sections_; }
    [[nodiscard]] const std::vector<Key>& keys() const { return keys_; }
    [[nodiscard]] const Key* find(const Section& section, std::string_view name) const;
    // The gateway serves the protocol; no effect for other tables.
    void add_section(Gateway& gateway, const Section& section) const;

  private:
    std::vector<const Protocol*> protocols_;
    std::vector<Section> sections_;
    std::vector<Key> keys_;
};

// A gateway has no table of a protocol that it does not serve; `show` of such a key needs one.
[[nodiscard]] bool has_section(const Gateway& gateway, const Section& section);

}  // namespace vpnha::config
