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
    const auto printed = adapters::output_of({kUpdater, "--name", name_, "--query", "--all"},
                                             kPatience, adapters::ErrorOutput::dropped);
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
