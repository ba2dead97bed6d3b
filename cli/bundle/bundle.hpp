// SPDX-License-Identifier: GPL-2.0-or-later
// `vpnha report`: a directory for a report of a bug, with what this node knows of itself and of the
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
    std::string directory{};  // Empty: one of this host's name and of the time.
};

// `ordered` is called while the command line is parsed.
void add_report(CLI::App& app, const std::function<void(const Order&)>& ordered);
// Root only: nobody else can read the files of secrets, whose values it takes out.
[[nodiscard]] ExitCode write_report(const Order& order, const SwitchoverPorts& ports);

struct SecretPlace {
    std::filesystem::path path;  // A file, or a directory with all that is below.
    Form form{};
};
// Learns the secrets in these places. A missing file is no error; one that cannot be read is.
[[nodiscard]] Result<Redaction> learn(const std::vector<SecretPlace>& places);

// A file of the report.
struct Part {
    std::string name;
    Result<std::string> text;
};
// Makes the directory, for its user alone, with all parts, redacted, and with a list of those that
// could not be had, which it returns: a line each. Error: it is there already, or cannot be
// written.
[[nodiscard]] Result<std::string> write_parts(const std::filesystem::path& directory,
                                              std::vector<Part> parts, const Redaction& redaction);

}  // namespace vpnha::cli::bundle
