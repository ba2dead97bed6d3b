// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/service/ppp_link_service.hpp"

#include <fmt/format.h>
#include <linux/rtnetlink.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <thread>

#include "host/netlink/netlink_route.hpp"
#include "host/os/boot_clock.hpp"
#include "host/os/process.hpp"
#include "host/os/text_file.hpp"
#include "protocols/ppp/service/ppp_link_dialler.hpp"
#include "protocols/ppp/service/ppp_link_state.hpp"

namespace vpnha::adapters {

namespace {

using namespace std::chrono_literals;
using State = PppLinkStatus::State;
using std::chrono::steady_clock;

constexpr const char* kPppd = "/usr/sbin/pppd";
constexpr const char* kRoutes = "routes";
// pppd sends a peer that is gone two Terminate-Requests, 3 s each; before it is up there is nothing
// to end.
constexpr auto kPppdPatience = 7s;
constexpr auto kDiallingPatience = 1s;
// xl2tpd notifies its peer in a moment; pptp waits so long for the answer.
constexpr auto kHelperPatience = 2s;
constexpr auto kLinkStartTimeout = 5s;
constexpr auto kLookInterval = 50ms;
// For a new xl2tpd. The running one dials again after 5 s, but within a tunnel that its peer may
// have lost: it takes 30 s more to notice that.
constexpr auto kFreshTunnelPause = 2s;
// Enough for two days of a peer that does not answer; the system log has all of it.
constexpr off_t kLogBytesMax = 64 * 1024;

std::string mark_of(const std::string& directory) {
    return "VPNHA_LINK=" + directory;
}

std::string name_of(const std::string& directory) {
    return directory.substr(directory.rfind('/') + 1);
}

bool is_of_link(const StockStarted& started, const Process& process) {
    return !started.environment.empty() && has_variable(process, started.environment.front());
}

Result<std::vector<Process>> processes_of(const StockStarted& started) {
    VPNHA_TRY(std::vector<Process> found, list_processes());
    std::erase_if(found,
                  [&started](const Process& process) { return !is_of_link(started, process); });
    return found;
}

bool is_program(const Process& process, const char* path) {
    return !process.arguments.empty() && process.arguments[0] == path;
}

// Waits until they end by themselves, at most so long.
Result<void> wait_ended(const StockStarted& started, std::chrono::milliseconds patience) {
    const auto deadline = steady_clock::now() + patience;
    for (;;) {
        VPNHA_TRY(const auto left, processes_of(started));
        if (left.empty() || steady_clock::now() > deadline) {
            return {};
        }
        std::this_thread::sleep_for(kLookInterval);
    }
}

// PPP ends first, so that the peer's pppd is notified, then the layer below it.
Result<void> hang_up(const StockInstance& link) {
    const auto state = read_ppp_link_state(link.directory);
    const auto patience = state && state->is_up ? kPppdPatience : kDiallingPatience;
    end_ppp_link_state(link.directory);
    VPNHA_TRY(const auto found, processes_of(link.started));
    for (const Process& process : found) {
        if (is_program(process, kPppd)) {
            terminate_and_wait(process, patience);
        }
    }
    for (const Process& process : found) {
        if (!process.arguments.empty() && keeps_ppp_links(process.arguments[0])) {
            terminate_and_wait(process, kHelperPatience);
        }
    }
    return wait_ended(link.started, kHelperPatience);
}

Result<void> remove_control(const StockInstance& link) {
    ::unlink(link.path(kPppLinkControl).c_str());
    return {};
}

bool runs(const StockInstance& /*link*/) {
    return true;
}

std::string no_word(const StockInstance& /*link*/) {
    return {};
}

const StockKind& link_kind() {
    static const StockKind kKind{.name = "link",
                                 .start_timeout = kLinkStartTimeout,
                                 .end_patience = kHelperPatience,
                                 .is_ready = runs,
                                 .is_serving = runs,
                                 .why_ended = no_word,
                                 .why_not_ready = no_word,
                                 .before_stop = hang_up,
                                 .after_end = remove_control,
                                 .is_helper = is_of_link};
    return kKind;
}

Result<void> check_program(const char* path, const char* package) {
    return ::access(path, X_OK) == 0
               ? Result<void>{}
               : fail(Errc::unsupported,
                      fmt::format("{} is not installed; install the package {}", path, package));
}

Result<void> check_secret(const std::string& path) {
    struct stat file {};
    if (::stat(path.c_str(), &file) != 0 || !S_ISREG(file.st_mode) || file.st_size == 0) {
        return fail(Errc::invalid_argument,
                    fmt::format("{} is no file with a password; write the line password \"…\" "
                                "into it",
                                path));
    }
    if (file.st_uid != 0 || (file.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return fail(Errc::permission,
                    fmt::format("{} has the password and is not root's alone; chown root and "
                                "chmod 600 it",
                                path));
    }
    return {};
}

TableRoute through_link(const IpPrefix& net) {
    return {.destination = net, .via = std::nullopt, .table = RT_TABLE_MAIN};
}

Result<void> add_routes(LinkIndex link, const std::vector<IpPrefix>& routes) {
    VPNHA_TRY(RouteNetlink netlink, RouteNetlink::open());
    for (const IpPrefix& net : routes) {
        VPNHA_CHECK(netlink.add_route(link, through_link(net)));
    }
    return {};
}

// 0: there is no such interface, or it is not up.
Result<LinkIndex> up_index(const std::string& interface) {
    VPNHA_TRY(RouteNetlink netlink, RouteNetlink::open());
    VPNHA_TRY(const auto link, netlink.find_link(interface));
    return link && link->is_up ? link->index : 0;
}

Result<void> check_routes(LinkIndex link, const PppLinkSettings& settings) {
    VPNHA_TRY(RouteNetlink netlink, RouteNetlink::open());
    for (const IpPrefix& net : settings.routes) {
        VPNHA_TRY(const bool is_there, netlink.has_route(link, through_link(net)));
        if (!is_there) {
            return fail(Errc::system,
                        fmt::format("the route to {} through {} is missing; somebody removed it",
                                    to_string(net), settings.interface));
        }
    }
    return {};
}

// In a process of its own: a pppd that ends waits for the program that it called.
Result<void> dial_by_fresh_tunnel(const std::string& directory) {
    const pid_t child = ::fork();
    if (child < 0) {
        return tl::unexpected(system_error("fork", errno));
    }
    if (child == 0) {
        leave_caller();
        std::this_thread::sleep_for(kFreshTunnelPause);
        const std::filesystem::path path(directory);
        StockService link(link_kind(), path.filename(), path.parent_path().parent_path());
        ::_exit(link.reset() ? 0 : 1);
    }
    return {};
}

std::chrono::milliseconds since(TimePoint then) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(boot_time() - then);
}

}  // namespace

PppLinkService::PppLinkService(const std::string& resource, std::string up_program,
                               std::string down_program, const std::string& run_root)
    : places_{.directory = fmt::format("{}/{}/{}", run_root, link_kind().name, resource),
              .up_program = std::move(up_program),
              .down_program = std::move(down_program)},
      service_(link_kind(), resource, run_root) {}

Result<void> PppLinkService::check(const PppLinkSettings& settings) {
    VPNHA_CHECK(check_program(kPppd, "ppp"));
    VPNHA_CHECK(check_program(settings.dialler->program, settings.dialler->package));
    if (::access("/dev/ppp", F_OK) != 0) {
        return fail(Errc::unsupported,
                    "there is no /dev/ppp; the kernel has no PPP, or its module ppp_generic is not "
                    "loaded");
    }
    if (!settings.options_file.empty() && ::access(settings.options_file.c_str(), R_OK) != 0) {
        return fail(Errc::invalid_argument,
                    fmt::format("{} cannot be read; write it first", settings.options_file));
    }
    return check_secret(settings.secret_file);
}

StockStarted PppLinkService::plan(const PppLinkSettings& settings) const {
    StockStarted started{.arguments = {kPppd, "file", places_.path(kPppLinkOptions)},
                         .environment = {mark_of(places_.directory)},
                         .resource = settings.resource};
    // A change of these makes it another link. Routes may change without that.
    started.facts = {{"options", ppp_link_options(settings, places_)}};
    if (settings.dialler->keeps_link()) {
        started.arguments = settings.dialler->arguments(places_);
        started.facts.emplace_back("config", settings.dialler->config(settings, places_));
    }
    for (auto& [name, text] : started.facts) {
        std::replace(text.begin(), text.end(), '\n', ';');
    }
    return started;
}

Result<void> PppLinkService::write_files(const PppLinkSettings& settings) const {
    std::error_code error;
    std::filesystem::create_directories(places_.directory, error);
    if (error) {
        return tl::unexpected(system_error("creating " + places_.directory, error.value()));
    }
    VPNHA_CHECK(write_text(places_.path(kPppLinkOptions), ppp_link_options(settings, places_)));
    const std::string config = places_.path(kPppLinkDaemonConf);
    if (settings.dialler->keeps_link()) {
        VPNHA_CHECK(write_text(config, settings.dialler->config(settings, places_)));
    } else {
        ::unlink(config.c_str());
    }
    return write_text(places_.path(kRoutes), ppp_link_routes_text(settings.routes));
}

Result<void> PppLinkService::start(const PppLinkSettings& settings) {
    VPNHA_CHECK(check(settings));
    const StockStarted wanted = plan(settings);
    if (service_.is_running_as(wanted)) {
        return change_routes(settings);
    }
    VPNHA_CHECK(service_.stop());
    VPNHA_CHECK(write_files(settings));
    VPNHA_CHECK(write_text(places_.path(kPppLinkLog), ""));
    VPNHA_CHECK(begin_ppp_link_state(places_.directory, boot_time()));
    return service_.start(wanted);
}

PppLinkTrouble PppLinkService::trouble(const PppLinkSettings& settings) const {
    return ppp_link_trouble(read_text(places_.path(kPppLinkLog)), settings);
}

Result<void> PppLinkService::wait_up(const PppLinkSettings& settings,
                                     std::chrono::milliseconds patience) const {
    const auto deadline = steady_clock::now() + patience;
    for (;;) {
        VPNHA_TRY(const PppLinkStatus found, status(settings));
        if (found.state == State::up) {
            return {};
        }
        if (found.state != State::redialling) {
            const std::string words = last_line(places_.path("errors"));
            return fail(Errc::system, fmt::format("the link's daemon ended at once; {}",
                                                  words.empty() ? "the system log may have more"
                                                                : "its last words: " + words));
        }
        if (found.trouble.is_refusal) {
            return fail(Errc::unreachable, found.trouble.why);
        }
        if (steady_clock::now() > deadline) {
            return fail(
                Errc::timeout,
                fmt::format("the link did not come up within {} s: {}",
                            std::chrono::duration_cast<std::chrono::seconds>(patience).count(),
                            found.trouble.why));
        }
        std::this_thread::sleep_for(kLookInterval);
    }
}

Result<void> PppLinkService::stop() {
    return service_.stop();
}

Result<PppLinkStatus> PppLinkService::status(const PppLinkSettings& settings) const {
    VPNHA_TRY(const StockService::State running, service_.status());
    if (running != StockService::State::running) {
        return PppLinkStatus{.state = running == StockService::State::dead ? State::dead
                                                                           : State::stopped};
    }
    struct stat log {};
    if (::stat(places_.path(kPppLinkLog).c_str(), &log) == 0 && log.st_size > kLogBytesMax) {
        // pppd appends, so it continues at the new end.
        if (::truncate(places_.path(kPppLinkLog).c_str(), 0) != 0) {
            return tl::unexpected(system_error("shorten " + places_.path(kPppLinkLog), errno));
        }
    }
    const PppLinkState state = read_ppp_link_state(places_.directory).value_or(PppLinkState{});
    VPNHA_TRY(const LinkIndex link, up_index(settings.interface));
    if (state.is_up && link != 0) {
        VPNHA_CHECK(check_routes(link, settings));
        return PppLinkStatus{
            .state = State::up, .lasts = since(state.since), .times_up = state.times_up};
    }
    PppLinkStatus found{.state = State::redialling,
                        .lasts = since(state.since),
                        .times_up = state.times_up,
                        .trouble = trouble(settings)};
    if (state.is_up) {
        // Its pppd was killed, and could not report it.
        VPNHA_CHECK(notify_ppp_link(places_.directory, settings.interface, false));
        found.lasts = 0ms;
    }
    return found;
}

Result<void> PppLinkService::change_routes(const PppLinkSettings& settings) {
    VPNHA_TRY(const auto before, parse_ppp_link_routes(read_text(places_.path(kRoutes))));
    VPNHA_CHECK(write_text(places_.path(kRoutes), ppp_link_routes_text(settings.routes)));
    VPNHA_TRY(const LinkIndex link, up_index(settings.interface));
    if (link == 0) {
        return {};
    }
    VPNHA_TRY(RouteNetlink netlink, RouteNetlink::open());
    for (const IpPrefix& net : before) {
        if (std::find(settings.routes.begin(), settings.routes.end(), net) ==
            settings.routes.end()) {
            VPNHA_CHECK(netlink.delete_route(link, through_link(net)));
        }
    }
    return add_routes(link, settings.routes);
}

Result<void> notify_ppp_link(const std::string& directory, const std::string& interface,
                             bool is_up) {
    if (is_up) {
        // Before the state: a reader that sees the link up finds its routes.
        VPNHA_TRY(const auto routes, parse_ppp_link_routes(read_text(directory + "/" + kRoutes)));
        VPNHA_TRY(const LinkIndex link, up_index(interface));
        if (link == 0) {
            return fail(Errc::not_found, fmt::format("{} is down again", interface));
        }
        VPNHA_CHECK(add_routes(link, routes));
    }
    VPNHA_TRY(const auto change, note_ppp_link(directory, is_up, boot_time()));
    if (!change) {
        return {};
    }
    const auto lasted = std::chrono::duration_cast<std::chrono::seconds>(change->after.since -
                                                                         change->before.since);
    const std::string name = name_of(directory);
    const std::string text =
        is_up ? fmt::format("{}: up on {} after {} s{}", name, interface, lasted.count(),
                            change->after.times_up > 1 ? ", redialled" : "")
              : fmt::format("{}: lost after {} s; redialling", name, lasted.count());
    ::openlog("vpnha-link", LOG_PID, LOG_DAEMON);
    ::syslog(is_up ? LOG_NOTICE : LOG_WARNING, "%s", text.c_str());
    // A daemon that keeps the link would continue within its old tunnel.
    const bool has_daemon = ::access((directory + "/" + kPppLinkDaemonConf).c_str(), F_OK) == 0;
    return !is_up && has_daemon ? dial_by_fresh_tunnel(directory) : Result<void>{};
}

}  // namespace vpnha::adapters
