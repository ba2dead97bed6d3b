// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/service/charon_service.hpp"

#include <fmt/format.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "config/connections.hpp"
#include "host/netlink/netlink.hpp"
#include "host/os/text_file.hpp"
#include "host/services/private_run.hpp"
#include "host/sockets/udp_sockets.hpp"
#include "protocols/gateway_services.hpp"
#include "protocols/ipsec/service/charon_guard.hpp"
#include "protocols/ipsec/service/strongswan_files.hpp"
#include "protocols/ipsec/service/vici_client.hpp"

namespace vpnha::adapters {

namespace {

using namespace std::chrono_literals;

// swanctl's default, within charon's own /run.
constexpr const char* kViciUri = "unix:///run/charon.vici";
constexpr const char* kVici = "charon.vici";
constexpr const char* kFifo = "charon.ha";
constexpr std::uint16_t kIkePort = 500;
constexpr std::uint16_t kNatTPort = 4500;
// A live charon answers within these times. Both together, and its start, are less than the timeout
// of an action.
constexpr auto kAnswerTimeout = 2s;
// For a running charon: on a busy node, after a takeover, 2 s are too short (dialled-ipsec), and an
// answer that is missed moves the gateway.
constexpr auto kLookTimeout = 5s;
constexpr auto kLoadTimeout = 5s;

Result<void> check_installed(const std::string& file, int access, std::string_view package) {
    if (::access(file.c_str(), access) == 0) {
        return {};
    }
    return fail(Errc::unsupported,
                fmt::format("{} is missing; install the package {}", file, package));
}

Result<ViciSection> ask_charon(const StockInstance& daemon, std::string_view command,
                               std::chrono::milliseconds patience = kAnswerTimeout) {
    VPNHA_TRY(ViciClient client, ViciClient::connect(charon_vici(daemon.started.netns), patience));
    return client.ask(command);
}

Result<void> check_connections(const StockInstance& daemon, std::chrono::milliseconds patience) {
    VPNHA_TRY(const ViciSection answer, ask_charon(daemon, "get-conns", patience));
    return answer.list("conns").empty()
               ? fail(Errc::invalid_config,
                      "charon has no connections, so no client can dial in; write some into "
                      "/etc/swanctl/conf.d and start the resource again")
               : Result<void>{};
}

bool answers(const StockInstance& daemon) {
    return ask_charon(daemon, "version").has_value();
}

bool has_fifo(const StockInstance& daemon) {
    struct stat fifo {};
    return ::stat(charon_fifo(daemon.started.netns).c_str(), &fifo) == 0 && S_ISFIFO(fifo.st_mode);
}

std::string never_ready(const StockInstance& daemon) {
    return fmt::format("does not answer at {}", charon_vici(daemon.started.netns));
}

// Removes the sockets of a charon that has ended.
void remove_sockets(const StockInstance& daemon) {
    ::unlink(charon_vici(daemon.started.netns).c_str());
    ::unlink(charon_fifo(daemon.started.netns).c_str());
}

std::string bad_settings(const StockInstance& daemon) {
    return fmt::format("is {} or what it includes in order?",
                       daemon.started.fact("strongswan_conf"));
}

// No charon of this node runs; checks that no other process has its ports.
Result<void> check_free(const StockInstance& daemon) {
    for (const std::uint16_t port : {kIkePort, kNatTPort}) {
        if (is_udp_bound({.address = {}, .port = port})) {
            return fail(Errc::system,
                        fmt::format("UDP port {} is taken by another IKE daemon; end it, with "
                                    "'systemctl disable --now strongswan' if it is the stock one",
                                    port));
        }
    }
    if (is_udp_bound(kCharonEnd)) {
        return fail(Errc::system, fmt::format("{} is taken, so charon's plugin ha cannot bind it; "
                                              "'ss -ulpn' names the process to end",
                                              to_string(kCharonEnd)));
    }
    if (const std::string vici = charon_vici(daemon.started.netns);
        ViciClient::connect(vici, kAnswerTimeout)) {
        return fail(Errc::system, fmt::format("another charon listens at {}; end it", vici));
    }
    remove_sockets(daemon);
    return guard_charon();
}

Result<void> load_connections(const StockInstance& daemon, std::chrono::milliseconds patience) {
    const std::string config = daemon.started.fact("config");
    VPNHA_TRY(const Command swanctl,
              daemon.place({.arguments = {daemon.started.fact("swanctl"), "--load-all",
                                          "--noprompt", "--file", config, "--uri", kViciUri}}));
    VPNHA_TRY(const Ended ended,
              run_to_end(swanctl, std::max<std::chrono::milliseconds>(kLoadTimeout, patience)));
    if (ended.code != 0) {
        return fail(Errc::invalid_config,
                    fmt::format("swanctl does not load all of {} (exit code {}): {}", config,
                                ended.code, ended.errors));
    }
    return check_connections(daemon, std::max<std::chrono::milliseconds>(kAnswerTimeout, patience));
}

// It is passive, its connections are loaded, and it can be activated.
Result<void> make_usable(const StockInstance& daemon, std::chrono::milliseconds patience) {
    if (!has_fifo(daemon)) {
        return fail(Errc::unsupported,
                    "charon runs without its plugin ha; install the package "
                    "libcharon-extra-plugins; the system log has more");
    }
    return load_connections(daemon, patience);
}

Result<void> flush_esp(const StockInstance& daemon) {
    remove_sockets(daemon);
    VPNHA_TRY(NetlinkSocket socket, NetlinkSocket::open(NETLINK_XFRM));
    NetlinkRequest request(XFRM_MSG_FLUSHSA, 0);
    request.header<xfrm_usersa_flush>().proto = IPPROTO_ESP;
    return socket.ask(request, "removing the ESP SAs of a charon that has ended");
}

Result<void> has_connections(const StockInstance& daemon) {
    return check_connections(daemon, kLookTimeout);
}

}  // namespace

std::string charon_vici(const std::string& netns) {
    return run_directory(netns) + "/" + kVici;
}

std::string charon_fifo(const std::string& netns) {
    return run_directory(netns) + "/" + kFifo;
}

const StockKind& charon_kind() {
    static const StockKind kKind{.name = "charon",
                                 .start_timeout = 8s,
                                 .end_patience = 2s,
                                 .outlives_release = true,
                                 .is_ready = answers,
                                 .is_serving = has_fifo,
                                 .why_ended = bad_settings,
                                 .why_not_ready = never_ready,
                                 .before_start = check_free,
                                 .after_start = make_usable,
                                 .after_end = flush_esp,
                                 .look_closely = has_connections};
    return kKind;
}

ConfinedProgram confined_swanctl(const std::string& path) {
    return {path, {"/etc/swanctl/", "/etc/strongswan.conf", "/etc/strongswan.d/"}};
}

Result<void> check_charon(const CharonSettings& settings) {
    VPNHA_CHECK(check_installed(settings.binary, X_OK, "charon-systemd"));
    VPNHA_CHECK(check_installed(settings.swanctl, X_OK, "strongswan-swanctl"));
    VPNHA_CHECK(check_installed(settings.strongswan_conf, R_OK, "vpnha-agents"));
    if (::access(settings.config.c_str(), R_OK) != 0) {
        return fail(Errc::invalid_config, system_error("reading " + settings.config, errno).detail);
    }
    VPNHA_TRY(const LoadedStrongswan loaded, load_strongswan(settings.config));
    VPNHA_CHECK(
        check_may_read(confined_swanctl(settings.swanctl), loaded.files, settings.apparmor));
    // Ubuntu enforces it. Debian 12 only logs violations.
    VPNHA_CHECK(check_may_read({settings.binary, {"/etc/strongswan.conf", "/etc/strongswan.d/"}},
                               {settings.strongswan_conf}, settings.apparmor));
    const std::vector<std::string> refused = config::refused_in_connections(loaded.top);
    return refused.empty() ? Result<void>() : fail(Errc::invalid_config, refused.front());
}

Result<StockStarted> plan_charon(const StockService& service, const CharonSettings& settings) {
    VPNHA_CHECK(check_charon(settings));
    return StockStarted{// charon takes no arguments. This one marks it among other charons.
                        .arguments = {settings.binary, service.path("")},
                        .environment = {"STRONGSWAN_CONF=" + settings.strongswan_conf},
                        .resource = settings.resource,
                        .facts = {{"strongswan_conf", settings.strongswan_conf},
                                  {"swanctl", settings.swanctl},
                                  {"config", settings.config}}};
}

}  // namespace vpnha::adapters

const vpnha::adapters::StockKind* vpnha::ipsec::stock_kind() {
    return &adapters::charon_kind();
}
