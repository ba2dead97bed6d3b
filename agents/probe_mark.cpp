// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe_mark.hpp"

#include <fmt/format.h>

#include <sstream>

#include "host/os/program_output.hpp"

namespace vpnha::agents {

namespace {

using Verdict = ProbeHealth::Verdict;

constexpr const char* kUpdater = "/usr/sbin/attrd_updater";
constexpr auto kPatience = std::chrono::seconds(3);
// Variables that execd sets, and that Pacemaker's tools take for the target node, even of a query
// of all nodes (pcmk__node_attr_target(), lib/common/attrs.c).
constexpr const char* kNamesOfNode[] = {"OCF_RESKEY_CRM_meta_on_node",
                                        "OCF_RESKEY_CRM_meta_physical_host",
                                        "OCF_RESKEY_CRM_meta_container_attribute_target"};

}  // namespace

Result<void> ProbeMark::write(Verdict verdict) const {
    std::vector<std::string> arguments{kUpdater, "--name", name_};
    if (verdict == Verdict::unknown) {
        arguments.emplace_back("--delete");
    } else {
        arguments.insert(arguments.end(), {"--update", std::string(to_string(verdict))});
    }
    const auto done = adapters::output_of(arguments, kPatience, adapters::ErrorOutput::dropped);
    if (!done) {
        return fail(done.error().code, fmt::format("{}: {}", kUpdater, done.error().detail));
    }
    return {};
}

std::vector<Verdict> ProbeMark::all() const {
    std::vector<Verdict> verdicts;
    std::vector<std::string> arguments{"/usr/bin/env"};
    for (const char* const each : kNamesOfNode) {
        arguments.push_back(fmt::format("--unset={}", each));
    }
    arguments.insert(arguments.end(), {kUpdater, "--name", name_, "--query", "--all"});
    const auto printed = adapters::output_of(arguments, kPatience, adapters::ErrorOutput::dropped);
    std::istringstream lines(printed.value_or(""));
    // name="vpnha-probe-dialin" host="gw1" value="alive"
    for (std::string line; std::getline(lines, line);) {
        for (const Verdict verdict : {Verdict::alive, Verdict::dead}) {
            if (line.find(fmt::format("value=\"{}\"", to_string(verdict))) != std::string::npos) {
                verdicts.push_back(verdict);
            }
        }
    }
    return verdicts;
}

}  // namespace vpnha::agents
