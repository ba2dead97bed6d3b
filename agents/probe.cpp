// SPDX-License-Identifier: GPL-2.0-or-later
// ocf:vpnha:probe: does the gateway that is served here answer its clients? A plain clone, which
// asks as a client does (vpnha-probe(8)), and marks a node whose service is dead. A rule of the
// cluster's configuration has the gateway leave a node with the mark (cib-templates/probe.crm).
//
// It never fails: a failure would restart the probe, and would count again and again where no node
// answers. A dead service is degraded (190).
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "agents.hpp"
#include "host/os/boot_clock.hpp"
#include "host/os/network_descriptor.hpp"
#include "host/os/program_output.hpp"
#include "host/os/text_file.hpp"
#include "host/services/probe_verdicts.hpp"
#include "probe_health.hpp"
#include "probe_mark.hpp"
#include "probe_settings.hpp"
#include "protocols/gateway_services.hpp"
#include "vpnhad.hpp"

namespace vpnha::agents {

namespace {

using ocf::Call;
using ocf::Code;
using ocf::Level;
using ocf::Outcome;
using std::chrono::seconds;
using Verdict = ProbeHealth::Verdict;

// Exit codes of vpnha-probe.
constexpr int kCritical = 2;
constexpr int kUnknown = 3;

Outcome wrong_everywhere(const Error& error) {
    return {Code::configured, error.detail};
}

// Stands from start to stop.
std::string health_file(const Call& call) {
    return fmt::format("{}/{}", adapters::kProbeVerdicts, call.instance());
}

Result<void> write_health(const Call& call, const ProbeHealth& health) {
    return adapters::write_text(health_file(call), health.text(call.parameter("gateway")));
}

bool is_served(const Call& call) {
    return sessions_here(call.parameter("socket"), call.parameter("gateway")) == Sessions::served;
}

seconds now() {
    return std::chrono::duration_cast<seconds>(adapters::boot_time().time_since_epoch());
}

// It takes nobody more, and is well.
bool is_full(const Call& call, std::string_view daemon) {
    const auto services = adapters::gateway_services(call.parameter("gateway"));
    return std::ranges::any_of(services, [&](const adapters::StockService& service) {
        const auto started = service.kind().is_full != nullptr && daemon == service.kind().name
                                 ? service.read_started()
                                 : std::nullopt;
        return started && service.kind().is_full(*started);
    });
}

struct Asked {
    std::vector<std::string> dead;     // What of the service is.
    std::vector<std::string> unasked;  // What could not be asked.
    std::string dead_everywhere{};     // What a move would not mend.
    bool has_logged_in = false;        // Where an account is.
};

ProbeMark radius_mark(const Call& call) {
    return ProbeMark(adapters::kRadiusMark + call.parameter("gateway"));
}
ProbeMark service_mark(const Call& call) {
    return ProbeMark(adapters::kProbeMark + call.parameter("gateway"));
}

// How one run of vpnha-probe has ended, and its line.
struct Answer {
    int code = kUnknown;
    std::string line;
};

Answer ask_one(const Call& call, const ProbeSettings& settings,
               const std::vector<std::string>& wish) {
    std::vector<std::string> arguments{call.parameter("binary")};
    arguments.insert(arguments.end(), wish.begin(), wish.end());
    arguments.insert(arguments.end(), {"--timeout", std::to_string(settings.timeout.count())});
    const auto printed = adapters::printed_by(arguments, settings.timeout + seconds(2));
    if (!printed) {
        return {kUnknown, fmt::format("{}: {}", arguments.front(), printed.error().detail)};
    }
    std::string line = printed->text.substr(0, printed->text.find_first_of("|\n"));
    line.erase(line.find_last_not_of(' ') + 1);
    return {printed->code < 0 ? kUnknown : std::min(printed->code, kUnknown), std::move(line)};
}

void ask_services(const Call& call, const ProbeSettings& settings, bool wants_login, Asked& asked) {
    const std::string address = call.parameter("address");
    // Without RADIUS nobody logs in, here or elsewhere.
    asked.has_logged_in = wants_login && asked.dead_everywhere.empty();
    for (const ProbeSettings::Server& server : settings.servers) {
        std::vector<std::string> wish{server.protocol, address, "--source", address};
        wish.insert(wish.end(), server.more.begin(), server.more.end());
        if (asked.has_logged_in) {
            wish.insert(wish.end(), server.login.begin(), server.login.end());
        }
        const Answer answer = ask_one(call, settings, wish);
        if (answer.code == kUnknown) {
            asked.unasked.push_back(answer.line);
        } else if (answer.code == kCritical && !is_full(call, server.daemon)) {
            asked.dead.push_back(answer.line);
        }
    }
}

// Each node asks: only so it is known whether a move would help. A node that is not answered takes
// its mark back at once, and two failures of another one lie further apart than two monitors. So
// where no node is answered, no mark says that one is.
void ask_radius(const Call& call, const ProbeSettings& settings, Asked& asked) {
    if (settings.radius.empty()) {
        return;
    }
    std::vector<std::string> lines;
    int best = kUnknown;
    for (const std::vector<std::string>& wish : settings.radius) {
        const Answer answer = ask_one(call, settings, wish);
        best = std::min(best, answer.code);
        lines.push_back(answer.line);
    }
    const std::string line = fmt::format("{}", fmt::join(lines, "; "));
    const ProbeMark mark = radius_mark(call);
    const Verdict verdict = best == kUnknown    ? Verdict::unknown
                            : best == kCritical ? Verdict::dead
                                                : Verdict::alive;
    if (const auto written = mark.write(verdict); !written) {
        asked.unasked.push_back(written.error().detail);
    } else if (verdict == Verdict::unknown) {
        asked.unasked.push_back(line);
    } else if (verdict == Verdict::dead && std::ranges::count(mark.all(), Verdict::alive) > 0) {
        asked.dead.push_back(line);
    } else if (verdict == Verdict::dead) {
        asked.dead_everywhere = line + "; no other node is answered, so the gateway stays";
    }
}

Asked ask(const Call& call, const ProbeSettings& settings, bool served, bool wants_login) {
    Asked asked;
    if (!served && settings.radius.empty()) {
        return asked;
    }
    const auto network = netns_of(call).and_then(adapters::NetworkNamespace::open);
    if (!network) {
        asked.unasked.push_back(network.error().detail);
        return asked;
    }
    const adapters::InNetwork within(*network);
    ask_radius(call, settings, asked);
    if (served) {
        ask_services(call, settings, wants_login, asked);
    }
    return asked;
}

// When the next login is due.
void note_login(const ProbeSettings& settings, const Asked& asked, ProbeHealth& health) {
    if (!asked.has_logged_in) {
        if (health.without_login != 0) {
            health.passed_without_login();
        }
    } else if (asked.dead.empty() && asked.unasked.empty()) {
        health.logged_in(settings.login_every);
    } else {
        health.without_login = 0;
    }
}

// The gateway is served here.
void look(const Call& call, const ProbeSettings& settings, const ProbeMark& mark,
          const Asked& asked, ProbeHealth& health) {
    if (!is_served(call)) {
        health.not_asked();  // It has moved, or is about to.
    } else if (!asked.dead.empty()) {
        health.unanswered(
            fmt::format("{}", fmt::join(asked.dead, "; ")), settings.failures,
            [&mark] { return !mark.all().empty(); }, now());
    } else if (asked.unasked.empty()) {
        health.answered(settings.failures, now());
    } else {
        health.not_asked();
        health.reason = fmt::format("{}", fmt::join(asked.unasked, "; "));
    }
}

// It is served elsewhere, or by nobody. What has happened to the service here since then nobody
// knows. Where no node answers, a mark that went would have the gateway come back.
void look_away(const ProbeSettings& settings, const ProbeMark& mark, ProbeHealth& health) {
    health.not_asked();
    if (health.verdict == Verdict::dead && now() - health.since >= settings.forget &&
        std::ranges::count(mark.all(), Verdict::alive) > 0) {
        health.forget();
    }
}

void log_change(const Call& call, const ProbeHealth& before, const ProbeHealth& health) {
    if (health.verdict == Verdict::dead) {
        call.log(Level::error, "the service is dead here: " + health.reason);
    } else if (before.verdict == Verdict::dead) {
        call.log(Level::info, health.verdict == Verdict::alive
                                  ? "the service answers again"
                                  : "the mark of a dead service is old, and was taken away");
    } else {
        call.log(Level::info, "the service answers");
    }
}

Outcome found(const ProbeSettings& settings, const Asked& asked, const ProbeHealth& health) {
    if (health.verdict == Verdict::unknown && health.against == settings.failures) {
        return {Code::degraded,
                health.reason + "; no node has ever answered this probe, so the gateway stays"};
    }
    if (health.verdict == Verdict::dead || (health.against == 0 && !health.reason.empty())) {
        return {Code::degraded, health.reason};
    }
    return asked.dead_everywhere.empty() ? Outcome{}
                                         : Outcome{Code::degraded, asked.dead_everywhere};
}

Outcome start(const Call& call) {
    if (const auto settings = probe_settings(call); !settings) {
        return wrong_everywhere(settings.error());
    }
    if (::access(health_file(call).c_str(), F_OK) == 0) {
        return {};
    }
    std::error_code error;
    std::filesystem::create_directories(adapters::kProbeVerdicts, error);
    if (error) {
        return ocf::outcome_of(
            system_error(fmt::format("creating {}", adapters::kProbeVerdicts), error.value()));
    }
    if (const auto written = write_health(call, {}); !written) {
        return ocf::outcome_of(written.error());
    }
    // `vpnha metrics` of who has no privileges reads it; execd's umask would keep it from that.
    std::filesystem::permissions(adapters::kProbeVerdicts, std::filesystem::perms{0755}, error);
    std::filesystem::permissions(health_file(call), std::filesystem::perms{0644}, error);
    return {};
}

Outcome stop(const Call& call) {
    const std::string file = health_file(call);
    if (ProbeHealth::of_text(adapters::read_text(file)).verdict != Verdict::unknown) {
        // Without a Pacemaker there is no mark.
        static_cast<void>(service_mark(call).write(Verdict::unknown));
    }
    if (!call.parameter("radius_servers").empty()) {
        static_cast<void>(radius_mark(call).write(Verdict::unknown));
    }
    ::unlink(file.c_str());
    return {};
}

Outcome monitor(const Call& call) {
    const std::string file = health_file(call);
    if (::access(file.c_str(), F_OK) != 0) {
        return {Code::not_running};
    }
    const auto settings = probe_settings(call);
    if (!settings) {
        return wrong_everywhere(settings.error());
    }
    const ProbeMark mark = service_mark(call);
    const ProbeHealth before = ProbeHealth::of_text(adapters::read_text(file));
    if (call.is_probe()) {
        // A Pacemaker that was started again has forgotten the mark.
        if (before.verdict != Verdict::unknown) {
            static_cast<void>(mark.write(before.verdict));
        }
        return {};
    }
    ProbeHealth health = before;
    const bool served = is_served(call);
    const Asked asked = ask(call, *settings, served, before.wants_login());
    if (served) {
        note_login(*settings, asked, health);
        look(call, *settings, mark, asked, health);
    } else {
        look_away(*settings, mark, health);
    }
    if (health.verdict != before.verdict) {
        if (const auto written = mark.write(health.verdict); !written) {
            // The next monitor tries again.
            call.log(Level::error, written.error().detail);
            return {Code::degraded, written.error().detail};
        }
        log_change(call, before, health);
    }
    if (health != before) {
        (void)write_health(call, health);
    }
    return found(*settings, asked, health);
}

Outcome validate(const Call& call) {
    if (const auto settings = probe_settings(call); !settings) {
        return wrong_everywhere(settings.error());
    }
    const std::string binary = call.parameter("binary");
    return ::access(binary.c_str(), X_OK) == 0
               ? Outcome{}
               : Outcome{Code::installed,
                         binary + " is not installed; install the package vpnha-probe"};
}

// The next monitor reads the parameters.
Outcome reload(const Call& call) {
    return validate(call);
}

std::vector<ocf::Parameter> parameters() {
    std::vector<ocf::Parameter> all{gateway_parameter(),
                                    {.name = "address",
                                     .required = true,
                                     .reloadable = true,
                                     .short_text = "VIP",
                                     .long_text = "The outside address that clients dial."}};
    const std::vector<ocf::Parameter> of_protocols = protocol_parameters();
    all.insert(all.end(), of_protocols.begin(), of_protocols.end());
    const ocf::Parameter more[] = {
        {.name = "timeout",
         .type = "integer",
         .default_value = "5",
         .reloadable = true,
         .short_text = "Time of one probe, seconds",
         .long_text = "Of each server, which is asked again and again meanwhile. At most 25 for "
                      "all together."},
        {.name = "failures",
         .type = "integer",
         .default_value = "2",
         .reloadable = true,
         .short_text = "Failures in a row",
         .long_text = "So many monitors in a row without an answer are a dead service, and so many "
                      "with one are a service that is well again. At most 100; with radius at "
                      "least 2."},
        {.name = "forget",
         .type = "integer",
         .default_value = "600",
         .reloadable = true,
         .short_text = "Age of a mark, seconds",
         .long_text = "A node that the gateway has left is a candidate as before after so long, if "
                      "the service answers on another node. At most 86400."},
        vpnha_config_parameter(),
        socket_parameter(),
        {.name = "binary",
         .default_value = VPNHA_PROBE_PROGRAM,
         .reloadable = true,
         .short_text = "vpnha-probe",
         .long_text = "The program."}};
    all.insert(all.end(), std::begin(more), std::end(more));
    return all;
}

}  // namespace

const ocf::Agent& probe() {
    static const ocf::Agent kAgent{
        .name = "probe",
        .short_text = "Whether a vpnha gateway answers its clients",
        .long_text =
            "Asks a gateway as its clients do, on the node that serves it and over the loopback "
            "device: a daemon may live and listen, and answer nobody. Each question ends before a "
            "name is asked for, unless there is a test account for it. Use it as a plain clone, "
            "with the rule of cib-templates/probe.crm: what is found is in the node's attribute "
            "vpnha-probe-GATEWAY, alive or dead, and a "
            "gateway leaves a node that is marked as dead for one in sync that is not. The monitor "
            "itself never fails; a dead service is degraded (190). Where the services of all nodes "
            "are dead, the gateway stays. A service that no node has ever answered for is not "
            "called dead: the probe may be kept out by a rule. RADIUS servers are asked by each "
            "node: the gateway leaves one that they do not answer only while they answer another "
            "one. A drained gateway answers, and a "
            "pptpd each of whose slots has a client is not dead.",
        .parameters = parameters(),
        .actions = {{.name = "start", .timeout_s = 20, .run = start},
                    {.name = "stop", .timeout_s = 20, .run = stop},
                    {.name = "reload-agent", .timeout_s = 20, .run = reload},
                    {.name = "monitor", .timeout_s = 40, .interval_s = 10, .run = monitor}},
        .validate = validate};
    return kAgent;
}

}  // namespace vpnha::agents
