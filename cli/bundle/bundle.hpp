// SPDX-License-Identifier: GPL-2.0-or-later
// `vpnha report`: makes a directory for a report of a bug, with the state of this node and of the
// cluster, and without secrets.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cli/bundle/redaction.hpp"
#include "cli/switchover.hpp"

namespace vpnha::cli::bundle {

struct Order {
    std::string directory{};  // Empty: named after this host and the time.
};

// `ordered` is called while the command line is parsed.
void add_report(CLI::App& app, const std::function<void(const Order&)>& ordered);
// Root only: no other user can read the files of secrets, whose values it removes.
[[nodiscard]] ExitCode write_report(const Order& order, const SwitchoverPorts& ports);

struct SecretPlace {
    std::filesystem::path path;  // A file, or a directory with all files below it.
    Form form{};
};
// Learns the secrets in these places. Ignores missing files; fails if one cannot be read.
[[nodiscard]] Result<Redaction> learn(const std::vector<SecretPlace>& places);

// A file of the report.
struct Part {
    std::string name;
    Result<std::string> text;
};
// Makes the directory, for its user alone, with all parts, redacted. Adds a list of the parts that
// could not be read, a line each, and returns it. Error: the directory exists already, or cannot be
// written.
[[nodiscard]] Result<std::string> write_parts(const std::filesystem::path& directory,
                                              std::vector<Part> parts, const Redaction& redaction);

}  // namespace vpnha::cli::bundle
