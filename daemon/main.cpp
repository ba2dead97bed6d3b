// SPDX-License-Identifier: GPL-2.0-or-later
// vpnhad: arguments in, exit code out; everything else is vpnha/daemon.hpp.
//
// Exit codes: 0 ended as told, 1 failed, 2 usage.
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
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    const vpnha::Result<void> result =
        check_only ? vpnha::check_config(options.config_file) : vpnha::run_daemon(options);
    if (!result) {
        std::fprintf(stderr, "vpnhad: %s\n", result.error().detail.c_str());
        return 1;
    }
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "vpnhad: %s\n", error.what());
    return 1;
}
