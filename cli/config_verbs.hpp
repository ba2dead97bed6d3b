// SPDX-License-Identifier: GPL-2.0-or-later
// `vpnha config`, `doctor` and `witness-key`: the verbs that need no vpnhad.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <iosfwd>

#include "cli/exit_code.hpp"

namespace vpnha::cli {

struct ConfigOutput {
    std::ostream& out;
    std::ostream& err;
    bool use_colour;
};
using ConfigVerb = std::function<ExitCode(const ConfigOutput&)>;

// `ordered` is called while the command line is parsed.
void add_config(CLI::App& app, const std::function<void(ConfigVerb)>& ordered);
void add_doctor(CLI::App& app, const std::function<void(ConfigVerb)>& ordered);
void add_witness_key(CLI::App& app, const std::function<void(ConfigVerb)>& ordered);

}  // namespace vpnha::cli
