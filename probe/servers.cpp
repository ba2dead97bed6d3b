// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/servers.hpp"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "host/os/process.hpp"
#include "host/secrets/secret_file.hpp"
#include "probe/datagrams.hpp"
#include "probe/ike_login.hpp"
#include "probe/ikev1_exchange.hpp"
#include "probe/ikev2_exchange.hpp"
#include "probe/l2tp_dial.hpp"
#include "probe/l2tp_exchange.hpp"
#include "probe/pptp_link.hpp"
#include "probe/private_network.hpp"
#include "probe/radius_exchange.hpp"
#include "probe/wireguard_exchange.hpp"
#include "protocols/pptp/service/call_trial.hpp"
#include "protocols/wireguard/model/peers_file.hpp"
#include "services/accounting/backend/radius_secret.hpp"

namespace vpnha::probe {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint16_t kL2tpPort = 1701;
constexpr std::uint16_t kIkePort = 500;
constexpr std::uint16_t kRadiusPort = 1812;
constexpr std::uint16_t kWireguardPort = 51820;

template <class Numbers>
Result<Numbers> random_numbers() {
    Numbers numbers{};
    if (::getrandom(&numbers, sizeof numbers, 0) != static_cast<ssize_t>(sizeof numbers)) {
        return tl::unexpected(system_error("getrandom", errno));
    }
    return numbers;
}

Outcome failed(Error error) {
    return {.steps = {}, .error = std::move(error)};
}

template <class MakeExchange>
Outcome ask(const Options& options, std::uint16_t port, Clock::duration patience,
            const MakeExchange& make) {
    const auto path = find_path(options.host, options.port.value_or(port), options.source);
    if (!path) {
        return failed(path.error());
    }
    auto exchange = make();
    if (!exchange) {
        return failed(exchange.error());
    }
    return carry_out(**exchange, *path, patience);
}

using Made = Result<std::unique_ptr<Exchange>>;

Made make_l2tp() {
    VPNHA_TRY(const auto id, random_numbers<std::uint16_t>());
    return std::make_unique<L2tpExchange>(TunnelId{static_cast<std::uint16_t>(id | 1)});
}

struct DialNumbers {
    std::uint16_t tunnel = 0;
    std::uint16_t session = 0;
    PppNumbers ppp;
};

Made make_dial(const Options& options) {
    VPNHA_TRY(PppAccount account, read_ppp_account(options.account_file));
    VPNHA_TRY(const auto numbers, random_numbers<DialNumbers>());
    return std::make_unique<L2tpDial>(
        L2tpNumbers{TunnelId{static_cast<std::uint16_t>(numbers.tunnel | 1)},
                    SessionId{static_cast<std::uint16_t>(numbers.session | 1)}},
        PppLogin(std::move(account), numbers.ppp, options.ping));
}

Made make_ikev1() {
    VPNHA_TRY(const auto cookie, random_numbers<std::uint64_t>());
    return std::make_unique<Ikev1Exchange>(cookie | 1);
}

Made make_ikev2() {
    VPNHA_TRY(Ikev2Numbers numbers, random_numbers<Ikev2Numbers>());
    numbers.spi |= 1;
    return std::make_unique<Ikev2Exchange>(numbers);
}

Made make_radius(const std::string& secret_file) {
    VPNHA_TRY(adapters::SecretBytes secret, adapters::read_radius_secret(secret_file));
    VPNHA_TRY(const auto numbers, random_numbers<RadiusNumbers>());
    VPNHA_TRY(auto exchange, RadiusExchange::make(numbers, std::move(secret)));
    return std::unique_ptr<Exchange>(std::move(exchange));
}

// A client's configuration, as `wg setconf` reads it.
Result<noise::Account> read_account(const std::string& path) {
    VPNHA_TRY(const auto file, adapters::SecretFile::read_private(path));
    VPNHA_TRY(const wireguard::PeersFile read, wireguard::parse_peers_file(file.content(), path));
    if (!read.private_key || read.peers.size() != 1) {
        return fail(
            Errc::invalid_config,
            fmt::format("{}: it has to have a PrivateKey, and one [Peer], the server", path));
    }
    const wireguard::FilePeer& server = read.peers.front();
    return noise::Account{*read.private_key, server.peer.key.octets,
                          server.preshared.value_or(noise::Secret{})};
}

Made make_wireguard(const std::string& account_file) {
    VPNHA_TRY(noise::Account account, read_account(account_file));
    VPNHA_TRY(const auto seed, random_numbers<noise::Octets>());
    VPNHA_TRY(const auto index, random_numbers<std::uint32_t>());
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
    const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(now - seconds);
    VPNHA_TRY(auto exchange,
              WireguardExchange::make(std::move(account),
                                      {.unix_s = static_cast<std::uint64_t>(seconds.count()),
                                       .nanoseconds = static_cast<std::uint32_t>(rest.count()),
                                       .index = index,
                                       .seed = noise::Secret(seed)}));
    return std::unique_ptr<Exchange>(std::move(exchange));
}

// A server answers in IKEv2, or refuses that and answers in IKEv1.
Outcome ask_ike(const Options& options) {
    const Clock::time_point end = Clock::now() + options.thresholds.timeout;
    Outcome second = ask(options, kIkePort, options.thresholds.timeout, make_ikev2);
    if (!second.error || second.error->code != Errc::unreachable) {
        return second;
    }
    Outcome first = ask(options, kIkePort, end - Clock::now(), make_ikev1);
    if (first.error) {
        first.error->detail = second.error->detail + "; " + first.error->detail;
    }
    return first;
}

// None: without an account.
Result<std::unique_ptr<PptpLink>> make_link(const Options& options) {
    if (options.account_file.empty()) {
        return nullptr;
    }
    VPNHA_TRY(PppAccount account, read_ppp_account(options.account_file));
    VPNHA_TRY(const auto numbers, random_numbers<PppNumbers>());
    return std::make_unique<PptpLink>(PppLogin(std::move(account), numbers, options.ping));
}

Outcome ask_pptp(const Options& options) {
    // PPTP is of IPv4.
    const auto path =
        find_path(options.host, 0, options.source.empty() ? "0.0.0.0" : options.source);
    if (!path) {
        return failed(path.error());
    }
    if (path->server.octets.ss_family != AF_INET) {
        return failed({Errc::invalid_argument, "PPTP has no IPv6"});
    }
    auto link = make_link(options);
    if (!link) {
        return failed(link.error());
    }
    adapters::TriedCall tried = adapters::try_call({.server = ipv4_of(path->server),
                                                    .source = ipv4_of(path->source),
                                                    .patience = options.thresholds.timeout},
                                                   std::move(*link));
    Outcome outcome;
    for (const adapters::CallStep& step : tried.steps) {
        outcome.steps.push_back({step.name, step.took});
    }
    if (!tried.result) {
        outcome.error = tried.result.error();
    }
    return outcome;
}

Outcome ask_l2tp(const Options& options) {
    return ask(options, kL2tpPort, options.thresholds.timeout, [&options] {
        return options.account_file.empty() ? make_l2tp() : make_dial(options);
    });
}

template <int kVersion, auto kMake>
Outcome ask_one_ike(const Options& options) {
    if (options.account_file.empty()) {
        return ask(options, kIkePort, options.thresholds.timeout, kMake);
    }
    const auto path = find_path(options.host, kIkePort, options.source);
    return path ? log_in_by_ike(kVersion, *path, options.account_file, options.thresholds.timeout)
                : failed(path.error());
}

Outcome ask_l2tp_ipsec(const Options& options) {
    const Clock::time_point end = Clock::now() + options.thresholds.timeout;
    const auto path =
        find_path(options.host, kIkePort, options.source.empty() ? "0.0.0.0" : options.source);
    if (!path) {
        return failed(path.error());
    }
    if (path->server.octets.ss_family != AF_INET) {
        return failed({Errc::invalid_argument, "L2TP within IPsec is dialled by IPv4"});
    }
    const auto network = PrivateNetwork::make(*path);
    if (!network) {
        return failed(network.error());
    }
    const adapters::InNetwork within((*network)->place());
    const Path inner{to_socket_address({ipv4_of(path->server), kL2tpPort}),
                     to_socket_address({kPrivateAddress, kL2tpPort})};
    return log_in_by_ike(
        1, inner, options.ike_account_file, end - Clock::now(), [&](Clock::duration patience) {
            auto dial = make_dial(options);
            return dial ? carry_out(**dial, inner, patience) : failed(dial.error());
        });
}

Outcome ask_radius(const Options& options) {
    return ask(options, kRadiusPort, options.thresholds.timeout,
               [&options] { return make_radius(options.secret_file); });
}

Outcome ask_wireguard(const Options& options) {
    return ask(options, kWireguardPort, options.thresholds.timeout,
               [&options] { return make_wireguard(options.account_file); });
}

enum class Account { none, possible, necessary };

struct Server {
    std::string_view protocol;
    Outcome (*ask)(const Options& options);
    Account account = Account::none;
    bool takes_port = true;
    bool takes_secret = false;
};
constexpr std::array kServers{Server{"l2tp", ask_l2tp, Account::possible},
                              Server{"l2tp-ipsec", ask_l2tp_ipsec, Account::necessary, false},
                              Server{"ike", ask_ike},
                              Server{"ikev1", ask_one_ike<1, make_ikev1>, Account::possible},
                              Server{"ikev2", ask_one_ike<2, make_ikev2>, Account::possible},
                              Server{"pptp", ask_pptp, Account::possible, false},
                              Server{"radius", ask_radius, Account::none, true, true},
                              Server{"wireguard", ask_wireguard, Account::necessary}};

const Server& server_of(std::string_view protocol) {
    return *std::ranges::find(kServers, protocol, &Server::protocol);
}

}  // namespace

std::vector<std::string> servers() {
    std::vector<std::string> names;
    for (const Server& each : kServers) {
        names.emplace_back(each.protocol);
    }
    return names;
}

bool takes_port(std::string_view protocol) {
    return server_of(protocol).takes_port;
}

bool takes_secret(std::string_view protocol) {
    return server_of(protocol).takes_secret;
}

bool takes_account(std::string_view protocol) {
    return server_of(protocol).account != Account::none;
}

bool needs_account(std::string_view protocol) {
    return server_of(protocol).account == Account::necessary;
}

Outcome ask_server(const Options& options) {
    const bool has_secrets = !options.account_file.empty() || !options.secret_file.empty();
    if (const auto forbidden = has_secrets ? adapters::forbid_dumps() : Result<void>{};
        !forbidden) {
        return failed(forbidden.error());
    }
    return server_of(options.protocol).ask(options);
}

}  // namespace vpnha::probe
