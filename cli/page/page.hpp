// SPDX-License-Identifier: GPL-2.0-or-later
// `vpnha page`: the state of the cluster, as known on this node, as one static HTML file. Like the
// metrics it names no user and no client, so that it may be published with them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/ask.hpp"
#include "cli/switchover.hpp"
#include "vpnha/daemon.hpp"

namespace vpnha::cli::page {

// Results of these verbs, with the constraints that add_constraints() has added.
struct Answers {
    nlohmann::json status;
    nlohmann::json sessions;
};
// Throws nlohmann::json::exception if one is no such result.
[[nodiscard]] std::string page_of(const Answers& answers, std::uint64_t now_unix_us);

// Asks vpnhad for them. If vpnhad does not answer, the page has the error instead.
[[nodiscard]] Rendered ask_page(const Ask& ask,
                                const Result<std::vector<ConstraintFinding>>& constraints);

struct Order {
    std::string output{};  // A file; empty: it is printed.
};
// `ordered` is called while the command line is parsed.
void add_page(CLI::App& app, const std::function<void(const Order&)>& ordered);
[[nodiscard]] ExitCode write_page(const Order& order, const SwitchoverPorts& ports);

}  // namespace vpnha::cli::page
