// SPDX-License-Identifier: GPL-2.0-or-later
// vpnha.toml for tools: whether a file is valid, its effective values, and the possible keys.
//
// Example:
//     bool is_good(const std::string& path) {
//         return vpnha::effective_configuration(path).has_value();
//     }
#pragma once

#include <string>
#include <vector>

#include "vpnha/export.hpp"
#include "vpnha/result.hpp"

namespace vpnha {

inline constexpr const char* kConfigurationPath = "/etc/vpnha/vpnha.toml";

// The configuration in `path` as TOML with every key spelled out, defaults too. Or all its errors,
// a line each: "vpnha.toml:12: what; what instead".
[[nodiscard]] VPNHA_API Result<std::string> effective_configuration(const std::string& path);

// A sentence for each gateway with a key whose effect goes beyond its own value.
[[nodiscard]] VPNHA_API Result<std::vector<std::string>> configuration_notes(
    const std::string& path);

struct ConfigurationKey {
    std::string table;  // "gateway.NAME.outside"
    std::string name;
    std::string type;      // For a human: "number, 1 to 255".
    std::string fallback;  // As written in the file; empty: the key must be given.
    std::string help;
};
[[nodiscard]] VPNHA_API std::vector<ConfigurationKey> configuration_keys();

// A file to start from: every key with its meaning, defaults commented out.
[[nodiscard]] VPNHA_API std::string configuration_example();

// Writes the line that enrols vpnha-witness(8), a secret: the key for the witness which the file
// names, derived from the cluster's key. Error: the file names none, Corosync does not run, or the
// cluster's key cannot be read.
[[nodiscard]] VPNHA_API Result<void> write_witness_key(const std::string& config_file, int fd);

// The section KEYS of vpnha.toml(5), in roff.
[[nodiscard]] VPNHA_API std::string configuration_manual();

}  // namespace vpnha
