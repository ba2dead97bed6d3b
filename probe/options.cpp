// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "probe/servers.hpp"
#include "vpnha/version.hpp"

namespace vpnha::probe {

namespace {

constexpr double kTimeoutDefault = 5;
constexpr double kTimeoutMin = 0.1;
constexpr double kTimeoutMax = 60;

Duration in_nanoseconds(double seconds) {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

// CLI11 cannot check which options fit together.
Result<void> check(const Options& options) {
    if (takes_secret(options.protocol) == options.secret_file.empty()) {
        return fail(Errc::invalid_argument,
                    options.secret_file.empty()
                        ? fmt::format("{} needs --secret-file", options.protocol)
                        : "--secret-file is for radius alone");
    }
    if (!options.account_file.empty() && !takes_account(options.protocol)) {
        return fail(Errc::invalid_argument, fmt::format("{} takes no --account", options.protocol));
    }
    if (options.account_file.empty() && needs_account(options.protocol)) {
        return fail(Errc::invalid_argument, fmt::format("{} needs --account", options.protocol));
    }
    const bool is_l2tp_ipsec = options.protocol == "l2tp-ipsec";
    if (is_l2tp_ipsec == options.ike_account_file.empty()) {
        return fail(Errc::invalid_argument, is_l2tp_ipsec
                                                ? "l2tp-ipsec needs --ike-account"
                                                : "--ike-account is for l2tp-ipsec alone");
    }
    const bool has_ppp = options.protocol.starts_with("l2tp") || options.protocol == "pptp";
    if (options.ping != Ipv4Address{} && (!has_ppp || options.account_file.empty())) {
        return fail(Errc::invalid_argument,
                    "--ping is for l2tp, l2tp-ipsec and pptp with --account alone");
    }
    if (options.port && !options.account_file.empty() && options.protocol.starts_with("ike")) {
        return fail(Errc::invalid_argument, "with --account IKE has one port; leave --port out");
    }
    if (options.port && !takes_port(options.protocol)) {
        return fail(Errc::invalid_argument,
                    fmt::format("{} has one port; leave --port out", options.protocol));
    }
    const Thresholds& of = options.thresholds;
    if (of.warning && of.critical && *of.warning > *of.critical) {
        return fail(Errc::invalid_argument, "--warning is above --critical");
    }
    if (std::max(of.warning.value_or(Duration{}), of.critical.value_or(Duration{})) > of.timeout) {
        return fail(Errc::invalid_argument,
                    "a threshold above --timeout is never reached: raise --timeout");
    }
    return {};
}

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& arguments) {
    Options options;
    double timeout = kTimeoutDefault;
    std::optional<double> warning;
    std::optional<double> critical;
    std::string ping;
    CLI::App app{
        "Asks a VPN gateway as a client does, and hangs up before anybody is asked for a "
        "name, or goes the whole way with a test account (vpnha-probe(8)).",
        "vpnha-probe"};
    app.add_option("protocol", options.protocol,
                   "l2tp, l2tp-ipsec, ike, ikev1, ikev2, pptp, radius or wireguard")
        ->required()
        ->check(CLI::IsMember(servers()));
    app.add_option("host", options.host, "an address or a name")->required();
    app.add_option("--timeout", timeout, "seconds for all together; 5 unless given")
        ->check(CLI::Range(kTimeoutMin, kTimeoutMax));
    app.add_option("--warning", warning, "seconds from which on an answer is slow")
        ->check(CLI::NonNegativeNumber);
    app.add_option("--critical", critical, "seconds from which on it is as good as none")
        ->check(CLI::NonNegativeNumber);
    app.add_option("--source", options.source, "the address of this machine to ask from");
    app.add_option("--port", options.port, "another UDP port than the protocol's");
    app.add_option("--secret-file", options.secret_file,
                   "of radius: its first line is the secret that server and client share");
    app.add_option("--account", options.account_file,
                   "a test account; of l2tp, l2tp-ipsec and pptp as in chap-secrets, of ikev1 and "
                   "ikev2 a swanctl.conf, of wireguard as `wg setconf` reads it");
    app.add_option("--ike-account", options.ike_account_file,
                   "of l2tp-ipsec: the account of its IKE, as of ikev1");
    app.add_option("--ping", ping,
                   "with --account, of l2tp, l2tp-ipsec and pptp: another IPv4 address to ping "
                   "through");
    app.add_flag("--json", options.json, "the report as JSON");
    app.set_version_flag("--version", fmt::format("vpnha-probe {}", version()));
    // CLI11 reads them from the end.
    std::vector<std::string> rest(arguments.rbegin(), arguments.rend());
    try {
        app.parse(rest);
    } catch (const CLI::CallForHelp&) {
        options.shown = app.help();
        return options;
    } catch (const CLI::CallForVersion&) {
        options.shown = app.version() + "\n";
        return options;
    } catch (const CLI::ParseError& error) {
        return fail(Errc::invalid_argument, error.what());
    }
    options.thresholds.timeout = in_nanoseconds(timeout);
    if (warning) {
        options.thresholds.warning = in_nanoseconds(*warning);
    }
    if (critical) {
        options.thresholds.critical = in_nanoseconds(*critical);
    }
    if (!ping.empty()) {
        VPNHA_TRY(options.ping, parse_ipv4(ping));
    }
    VPNHA_CHECK(check(options));
    return options;
}

}  // namespace vpnha::probe
