// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

#include "base/number.hpp"

namespace vpnha::agents {

namespace {

using std::chrono::seconds;

enum class Account { none, possible, necessary };

struct Probed {
    std::string_view protocol;
    std::string_view daemon;
    Account account = Account::none;
    std::string_view port{};  // The parameter that has it.
};
constexpr std::array kProbed{Probed{"l2tp", "xl2tpd", Account::possible, "l2tp_port"},
                             Probed{"ike", "charon"},
                             Probed{"ikev1", "charon", Account::possible},
                             Probed{"ikev2", "charon", Account::possible},
                             Probed{"pptp", "pptpd", Account::possible},
                             Probed{"wireguard", "", Account::necessary, "wireguard_port"}};
constexpr std::string_view kRadius = "radius";
// So that the other nodes have asked once between two failures of a RADIUS server here.
constexpr unsigned kRadiusFailuresMin = 2;
constexpr unsigned kFailuresMax = 100;
constexpr unsigned kForgetMax = 86'400;
constexpr unsigned kLoginEveryMax = 360;
constexpr unsigned kPortMax = 65'535;

Result<unsigned> number_of(const ocf::Call& call, std::string_view name, std::size_t max) {
    const std::string text = call.parameter(name);
    const auto number = parse_whole<unsigned>(text);
    if (!number || *number == 0 || *number > max) {
        return fail(Errc::invalid_argument,
                    fmt::format("{} is \"{}\": it has to be 1 to {}", name, text, max));
    }
    return *number;
}

std::vector<std::string> words_of(const ocf::Call& call, std::string_view name) {
    std::istringstream words(call.parameter(name));
    return {std::istream_iterator<std::string>(words), {}};
}

std::string names_of_probed() {
    std::string names;
    for (const Probed& each : kProbed) {
        names += fmt::format("{}, ", each.protocol);
    }
    return names + std::string(kRadius);
}

// By protocol.
Result<std::map<std::string, std::string>> accounts_of(const ocf::Call& call) {
    std::map<std::string, std::string> accounts;
    for (const std::string& word : words_of(call, "accounts")) {
        const std::size_t end = word.find("=/");
        const std::string protocol = word.substr(0, end);
        const auto* const probed = std::ranges::find(kProbed, protocol, &Probed::protocol);
        if (end == std::string::npos || probed == kProbed.end() ||
            probed->account == Account::none || accounts.contains(protocol)) {
            return fail(
                Errc::invalid_argument,
                fmt::format("accounts has \"{}\": it has to be PROTOCOL=/FILE, once each, of "
                            "l2tp, ikev1, ikev2, pptp or wireguard",
                            word));
        }
        accounts[protocol] = word.substr(end + 1);
    }
    return accounts;
}

Result<ProbeSettings::Server> server_of(const ocf::Call& call, const Probed& probed,
                                        std::map<std::string, std::string>& accounts) {
    ProbeSettings::Server server{std::string(probed.protocol), probed.daemon, {}};
    if (!probed.port.empty()) {
        VPNHA_TRY(const unsigned port, number_of(call, probed.port, kPortMax));
        server.more = {"--port", std::to_string(port)};
    }
    const auto account = accounts.extract(server.protocol);
    if (!account.empty()) {
        auto& to = probed.account == Account::necessary ? server.more : server.login;
        to.insert(to.end(), {"--account", account.mapped()});
    } else if (probed.account == Account::necessary) {
        return fail(Errc::invalid_argument,
                    fmt::format("{} needs an account: accounts=\"{}=/FILE\"", probed.protocol,
                                probed.protocol));
    }
    return server;
}

}  // namespace

std::vector<ocf::Parameter> protocol_parameters() {
    return {
        {.name = "protocols",
         .required = true,
         .reloadable = true,
         .short_text = "Protocols",
         .long_text =
             "What clients need, with blanks between: l2tp, ike, ikev1, ikev2, pptp, wireguard, "
             "radius. All of them have to answer. ike is IKEv2, and IKEv1 where that is "
             "refused. radius is asked by each node, and moves the gateway only where another "
             "node is answered."},
        {.name = kProbed.front().port,
         .type = "integer",
         .default_value = "1701",
         .reloadable = true,
         .short_text = "Port of L2TP",
         .long_text = "As in vpnha.toml and xl2tpd.conf."},
        {.name = kProbed.back().port,
         .type = "integer",
         .default_value = "51820",
         .reloadable = true,
         .short_text = "Port of WireGuard",
         .long_text = "As in vpnha.toml."},
        {.name = "accounts",
         .reloadable = true,
         .short_text = "Test accounts",
         .long_text = "PROTOCOL=/FILE, with blanks between, for l2tp, ikev1, ikev2, pptp and "
                      "wireguard, which needs one: the protocol is asked the whole way, with a "
                      "login (vpnha-probe(8)), by each so many monitors (login_every). The same "
                      "file on each node, which root alone can read."},
        {.name = "login_every",
         .type = "integer",
         .default_value = "6",
         .reloadable = true,
         .short_text = "Monitors from one login to the next",
         .long_text = "While all is well. A login is a session: a pppd, a record, requests of "
                      "RADIUS. The monitors between ask without the account, which ends before a "
                      "name is asked for. As soon as something is not answered, each monitor logs "
                      "in until all is well. At most 360; 1 is each monitor. A handshake of "
                      "WireGuard is no login."},
        {.name = "radius_servers",
         .reloadable = true,
         .short_text = "RADIUS servers",
         .long_text = "Addresses, with blanks between. One that answers is enough. Each node "
                      "is a client of theirs by its own address, and they answer "
                      "Status-Server."},
        {.name = "radius_secret_file",
         .default_value = "/etc/vpnha/radius.secret",
         .reloadable = true,
         .short_text = "Secret of the RADIUS servers",
         .long_text = "Its first line is the secret."}};
}

Result<ProbeSettings> probe_settings(const ocf::Call& call) {
    ProbeSettings settings;
    VPNHA_TRY(auto accounts, accounts_of(call));
    const std::vector<std::string> wanted = words_of(call, "protocols");
    for (const std::string& word : wanted) {
        const auto* const probed = std::ranges::find(kProbed, word, &Probed::protocol);
        if (probed != kProbed.end()) {
            VPNHA_TRY(auto server, server_of(call, *probed, accounts));
            settings.servers.push_back(std::move(server));
        } else if (word != kRadius) {
            return fail(
                Errc::invalid_argument,
                fmt::format("protocols has \"{}\": {} can be probed", word, names_of_probed()));
        }
    }
    if (wanted.empty() || std::set(wanted.begin(), wanted.end()).size() != wanted.size()) {
        return fail(Errc::invalid_argument, "protocols has to name what clients need, each once");
    }
    if (!accounts.empty()) {
        return fail(Errc::invalid_argument, fmt::format("accounts has {}, and protocols does not",
                                                        accounts.begin()->first));
    }
    if (std::ranges::find(wanted, kRadius) != wanted.end()) {
        for (const std::string& server : words_of(call, "radius_servers")) {
            settings.radius.push_back({std::string(kRadius), server, "--secret-file",
                                       call.parameter("radius_secret_file")});
        }
        if (settings.radius.empty()) {
            return fail(Errc::invalid_argument, "radius needs radius_servers");
        }
    }
    const std::size_t asked = settings.servers.size() + settings.radius.size();
    if (asked > static_cast<std::size_t>(kAllProbesMax.count())) {
        return fail(Errc::invalid_argument, "radius_servers are too many");
    }
    const auto timeout_max = static_cast<std::size_t>(kAllProbesMax.count()) / asked;
    VPNHA_TRY(const unsigned timeout, number_of(call, "timeout", timeout_max));
    VPNHA_TRY(settings.failures, number_of(call, "failures", kFailuresMax));
    VPNHA_TRY(settings.login_every, number_of(call, "login_every", kLoginEveryMax));
    if (!settings.radius.empty() && settings.failures < kRadiusFailuresMin) {
        return fail(Errc::invalid_argument,
                    fmt::format("failures has to be {} at least with radius", kRadiusFailuresMin));
    }
    VPNHA_TRY(const unsigned forget, number_of(call, "forget", kForgetMax));
    settings.timeout = seconds(timeout);
    settings.forget = seconds(forget);
    return settings;
}

}  // namespace vpnha::agents
