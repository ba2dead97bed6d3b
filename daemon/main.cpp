// SPDX-License-Identifier: GPL-2.0-or-later
// vpnhad: arguments in, exit code out; everything else is vpnha/daemon.hpp.
//
// Exit codes: 0 ended on request, 1 died, 2 usage, 3 a restart is useless until somebody acts.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "vpnha/daemon.hpp"
#include "vpnha/version.hpp"

int main(int argc, char** argv) try {
    vpnha::DaemonOptions options;
    bool check_only = false;
    CLI::App app("Replicates live VPN sessions over the cluster and resumes them after a failover");
    app.name("vpnhad");
    app.set_version_flag("--version", std::string(vpnha::version()));
    app.add_option("--config", options.config_file, "Configuration file")->capture_default_str();
    app.add_option("--log-file", options.log_file, "Append the log to this file, not to stderr");
    app.add_flag("--check-config", check_only, "Check the configuration and end");
    app.add_flag("--services-by-systemd", options.services_by_systemd,
                 "Have systemd end stock daemons and start them anew, outside of vpnhad's unit");
    app.add_flag("--journal", options.journal,
                 "Write the log to systemd's journal as well, with fields");
    app.add_option("--restarts", options.restart.count,
                   "From keep-vpnhad: how often vpnhad was started because one had died");
    app.add_option("--death", options.restart.death, "From keep-vpnhad: how the last one died");
    app.add_flag("--votes-only", options.restart.votes_only,
                 "From keep-vpnhad: vote on the leases, and take part in no gateway");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    const vpnha::DaemonEnd end =
        check_only ? vpnha::DaemonEnd{.result = vpnha::check_config(options.config_file)}
                   : vpnha::run_daemon(options);
    if (!end.result) {
        std::fprintf(stderr, "vpnhad: %s\n", end.result.error().detail.c_str());
    }
    return vpnha::exit_code(end);
} catch (const std::exception& error) {
    std::fprintf(stderr, "vpnhad: %s\n", error.what());
    return 1;
}
