// SPDX-License-Identifier: GPL-2.0-or-later
// One value of vpnha.toml: from TOML to the type of its key's kind, within the key's bounds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/keys.hpp"

// Header-only and without exceptions: the packaged shared library throws.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
// Version 3.3 asserts that a header begins with a letter before it reports that it does not.
#define TOML_ASSERT(condition) static_assert(true)
#include <toml++/toml.h>

namespace vpnha::config {

struct BadValue {
    std::uint32_t line;
    std::string what;  // And what to write instead.
};

[[nodiscard]] std::uint32_t line_of(const toml::node& node);

// Sets `value` by the key's kind. Returns what is wrong; for a list of addresses every wrong one,
// and `value` gets the others.
[[nodiscard]] std::vector<BadValue> read_toml_value(const Key& key, const toml::node& node,
                                                    Value& value);

}  // namespace vpnha::config
