// SPDX-License-Identifier: GPL-2.0-or-later
// Files of strongSwan's format, as its own programs read them: the grammar of settings_lexer.l and
// settings_parser.y in strongSwan 5.9.8. Pure: text in, sections out.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vpnha/result.hpp"

namespace vpnha::config {

struct StrongswanFile {
    std::string name;  // Of the file; its includes are relative to its folder.
    std::string text;
};

// The files that a file includes by a pattern, in
// their order, without those that cannot be read.
using StrongswanInclude =
    std::function<std::vector<StrongswanFile>(const std::string& file, const std::string& pattern)>;

// Values and sections by their names; those that occur twice are merged: the last value counts.
struct StrongswanSection {
    // nullopt: it is empty on purpose, so that none is inherited.
    std::map<std::string, std::optional<std::string>> values;
    std::map<std::string, StrongswanSection> sections;
    // Sections whose values this one inherits, by their paths from the top.
    std::vector<std::string> references;

    void merge(const StrongswanSection& other);
};

// Malformed: with the file and the number of the line. The text of included files replaces the
// include; below the tenth level of them it is ignored.
[[nodiscard]] Result<StrongswanSection> parse_strongswan(const StrongswanFile& file,
                                                         const StrongswanInclude& include);
// The same sections with the values of their references, and without references.
[[nodiscard]] StrongswanSection with_references(const StrongswanSection& top);

// "8h", "3600", "0x10 M", as charon reads a time; nullopt: it is not a time.
[[nodiscard]] std::optional<std::uint64_t> parse_strongswan_seconds(const std::string& text);

}  // namespace vpnha::config
