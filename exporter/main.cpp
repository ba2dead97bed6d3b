// SPDX-License-Identifier: GPL-2.0-or-later
// vpnha-exporter: metrics and the page of vpnhad by HTTP, on the socket of its unit.
//
// Exit codes: 1 failed, 2 usage.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <string>

#include "exporter/contents.hpp"
#include "exporter/server.hpp"
#include "vpnha/control.hpp"
#include "vpnha/version.hpp"

namespace {

using namespace vpnha;

constexpr int kUsage = 2;
// The first one of those that systemd passes (sd_listen_fds(3)).
constexpr int kPassedSocket = 3;
constexpr std::chrono::hours kForEver{1};

Result<adapters::UniqueFd> passed_socket() {
    // NOLINTBEGIN(concurrency-mt-unsafe): no thread of ours runs.
    const char* const process = std::getenv("LISTEN_PID");
    const char* const count = std::getenv("LISTEN_FDS");
    // NOLINTEND(concurrency-mt-unsafe)
    if (process == nullptr || process != std::to_string(::getpid()) || count == nullptr) {
        return fail(Errc::invalid_argument,
                    "it was given no socket: systemctl enable --now vpnha-exporter.socket");
    }
    if (std::string_view(count) != "1") {
        return fail(Errc::invalid_argument,
                    fmt::format("it was given {} sockets: write an empty ListenStream= before the "
                                "one in the drop-in of vpnha-exporter.socket",
                                count));
    }
    return adapters::UniqueFd(kPassedSocket);
}

Result<void> serve(const std::string& control_socket) {
    VPNHA_TRY(const adapters::UniqueFd listener, passed_socket());
    exporter::Contents contents(cli::ask_at(control_socket));
    VPNHA_TRY(exporter::Server server, exporter::Server::on(listener, contents));
    for (;;) {
        VPNHA_CHECK(server.run(kForEver));
    }
}

}  // namespace

int main(int argc, char** argv) try {
    CLI::App app("Metrics and the page of vpnhad by HTTP, on the socket of vpnha-exporter.socket.");
    app.set_version_flag("--version", fmt::format("vpnha-exporter {}", version()));
    std::string control_socket = kControlSocketPath;
    app.add_option("--socket", control_socket, "The control socket of vpnhad")
        ->capture_default_str();
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? EXIT_SUCCESS : kUsage;
    }
    const Result<void> ended = serve(control_socket);
    std::cerr << "vpnha-exporter: " << ended.error().detail << "\n";
    return EXIT_FAILURE;
} catch (const std::exception& error) {
    std::cerr << "vpnha-exporter: " << error.what() << "\n";
    return EXIT_FAILURE;
}
