// SPDX-License-Identifier: GPL-2.0-or-later
// vpnhad-next --config FILE --log-file FILE: vpnhad that speaks wire versions 1 and 2.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "runtime/daemon.hpp"
#include "support/wire_v2.hpp"

int main(int argc, char** argv) try {
    vpnha::DaemonOptions options;
    CLI::App app("vpnhad of a release to come, for tests");
    app.add_option("--config", options.config_file, "Configuration file");
    app.add_option("--log-file", options.log_file, "Append the log to this file");
    CLI11_PARSE(app, argc, argv);
    const vpnha::Result<void> result =
        vpnha::runtime::run_daemon(options, vpnha::wire::next_codecs());
    if (!result) {
        std::fprintf(stderr, "vpnhad-next: %s\n", result.error().detail.c_str());
        return 1;
    }
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "vpnhad-next: %s\n", error.what());
    return 1;
}
