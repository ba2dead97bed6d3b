// SPDX-License-Identifier: GPL-2.0-or-later
#include "vpnhad_main.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "daemon/daemon.hpp"

namespace vpnha::next {

int run_vpnhad(int argc, char** argv, std::span<const wire::Codec> codecs) {
    DaemonOptions options;
    CLI::App app("vpnhad for tests");
    app.add_option("--config", options.config_file, "Configuration file");
    app.add_option("--log-file", options.log_file, "Append the log to this file");
    app.add_flag("--services-by-systemd", options.services_by_systemd, "As vpnhad");
    app.add_option("--restarts", options.restart.count, "As vpnhad");
    app.add_option("--death", options.restart.death, "As vpnhad");
    app.add_flag("--votes-only", options.restart.votes_only, "As vpnhad");
    CLI11_PARSE(app, argc, argv);
    const DaemonEnd end = runtime::run_daemon(options, codecs);
    if (!end.result) {
        std::fprintf(stderr, "%s: %s\n", argv[0], end.result.error().detail.c_str());
    }
    return exit_code(end);
}

}  // namespace vpnha::next
