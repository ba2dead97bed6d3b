// SPDX-License-Identifier: GPL-2.0-or-later
// vpnha-probe: checks whether a VPN gateway answers its clients. A plugin for monitoring;
// ocf:vpnha:probe runs it as well.
//
// Exit codes: 0 it answers, 1 slowly, 2 it does not, or refuses, 3 it could not be asked.
#include <cstdio>
#include <exception>

#include "probe/options.hpp"
#include "probe/servers.hpp"

namespace {

using namespace vpnha::probe;

int report(const Report& report, bool json) {
    std::printf("%s\n", (json ? report.json() : report.line()).c_str());
    return static_cast<int>(report.status());
}

int run(const std::vector<std::string>& arguments) {
    const auto options = parse_options(arguments);
    if (!options) {
        // Monitoring reads a plugin's text from stdout.
        std::printf("UNKNOWN: %s; see vpnha-probe --help\n", options.error().detail.c_str());
        return static_cast<int>(Status::unknown);
    }
    if (!options->shown.empty()) {
        std::fputs(options->shown.c_str(), stdout);
        return static_cast<int>(Status::ok);
    }
    return report({.protocol = options->protocol,
                   .host = options->host,
                   .outcome = ask_server(*options),
                   .thresholds = options->thresholds},
                  options->json);
}

}  // namespace

int main(int argc, char** argv) try {
    return run({argv + 1, argv + argc});
} catch (const std::exception& error) {
    std::printf("UNKNOWN: %s\n", error.what());
    return static_cast<int>(Status::unknown);
}
