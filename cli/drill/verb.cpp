// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/drill/verb.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <memory>

#include "cli/completion.hpp"
#include "cli/drill/conduct.hpp"
#include "cli/drill/page.hpp"
#include "cli/drill/pings.hpp"
#include "cli/json_text.hpp"
#include "cli/replaced_file.hpp"
#include "host/os/text_file.hpp"

namespace vpnha::cli::drill {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kLockFile = "/run/vpnha/drill.lock";
constexpr double kIntervalMin = 0.01;
constexpr double kIntervalMax = 10;
constexpr double kDefaultInterval = 0.05;
constexpr unsigned kWatchSecondsMax = 3600;

// In the units of the command line.
struct Given {
    Order order;
    double interval_s = kDefaultInterval;
    unsigned at_most_s = 90;
    unsigned recovery_s = 180;
};

struct WatchOrder {
    std::string address;
    std::string file;
    double interval_s = kDefaultInterval;
    unsigned for_s = kWatchSecondsMax;
};

struct ReportOrder {
    std::string record;
    std::vector<std::string> watches;
    std::string html_file;
    std::string json_file;
};

milliseconds in_milliseconds(double s) {
    return std::chrono::round<milliseconds>(std::chrono::duration<double>(s));
}

const std::map<std::string, unsigned>& units() {
    static const std::map<std::string, unsigned> all{{"s", 1}, {"m", 60}, {"h", 3600}};
    return all;
}

Result<void> write_files(const Record& record, const std::string& json_file,
                         const std::string& html_file) {
    if (!json_file.empty()) {
        VPNHA_CHECK(replace_file(json_file, json_text(to_json(record), 1) + "\n"));
    }
    if (!html_file.empty()) {
        VPNHA_CHECK(replace_file(html_file, page_of(record)));
    }
    // This node may lose its power next.
    ::sync();
    return {};
}

bool ask_human(std::ostream& out) {
    out << "continue? [y/N] " << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "yes";
}

Result<Fault> arm_striker(const Plan& plan, milliseconds at_most) {
    VPNHA_TRY(Striker striker, Striker::arm(plan, at_most, kLockFile));
    const auto shared = std::make_shared<Striker>(std::move(striker));
    return Fault{.strike = [shared] { shared->strike(); },
                 .news = [shared] { return shared->news(); },
                 .undo = [shared] { return shared->undo(); }};
}

ExitCode run_drill(const Order& order, const SwitchoverPorts& world) {
    if (::geteuid() != 0) {
        return report({Errc::permission, "a drill is for root alone"}, world.err);
    }
    if (!order.yes && ::isatty(STDIN_FILENO) != 1) {
        return report({Errc::unsupported, "nobody can be asked here: give --yes"}, world.err);
    }
    Ports ports{.out = world.out,
                .err = world.err,
                .ask = world.ask,
                .look = [&] { return look(order, world.ask); },
                .look_at_health = [&] { return look_at_health(world.ask); },
                .agrees = [&] { return ask_human(world.out); },
                .arm = arm_striker,
                .watch = {},
                .unix_ms = unix_ms_now,
                .pause = world.pause,
                .write =
                    [&](const Record& record) {
                        return write_files(record, order.json_file, order.html_file);
                    }};
    if (!order.watch.empty()) {
        ports.watch = [&]() -> Result<std::function<Watch()>> {
            VPNHA_TRY(Pings pings, Pings::open(order.watch, order.interval));
            const auto shared = std::make_shared<Pings>(std::move(pings));
            shared->start();
            return [shared] { return shared->stop(); };
        };
    }
    return conduct(order, ports);
}

// Until SIGINT or SIGTERM, or the time is over.
ExitCode run_watch(const WatchOrder& order, const SwitchoverPorts& world) {
    auto pings = Pings::open(order.address, in_milliseconds(order.interval_s));
    if (!pings) {
        return report(pings.error(), world.err);
    }
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    // The thread that pings inherits the blocked signals.
    ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    pings->start();
    world.print("pings {} each {:.0f} ms; Ctrl-C ends it", order.address, order.interval_s * 1000);
    const timespec time{static_cast<time_t>(order.for_s), 0};
    ::sigtimedwait(&ends, nullptr, &time);
    const Watch watch = pings->stop();
    const Seen seen = reckon(watch.probes, {});
    world.print("{} sent, {} lost, longest silence {}", seen.sent, seen.lost,
                seen.longest ? duration_text(seen.longest->length_ms()) : "none");
    if (const auto written = replace_file(order.file, json_text(to_json(watch)) + "\n"); !written) {
        return report(written.error(), world.err);
    }
    return ExitCode::ok;
}

ExitCode run_report(const ReportOrder& order, const SwitchoverPorts& world) {
    auto record = parse_record(adapters::read_text(order.record));
    if (!record) {
        return report({record.error().code, order.record + ": " + record.error().detail},
                      world.err);
    }
    for (const std::string& file : order.watches) {
        auto watch = parse_watch(adapters::read_text(file));
        if (!watch) {
            return report({watch.error().code, file + ": " + watch.error().detail}, world.err);
        }
        record->watches.push_back(std::move(*watch));
    }
    for (const std::string& line : summary(*record)) {
        world.out << line << "\n";
    }
    if (const auto written = write_files(*record, order.json_file, order.html_file); !written) {
        return report(written.error(), world.err);
    }
    return ExitCode::ok;
}

void add_kind(CLI::App& drill, const KindOf& kind, const std::function<void(Verb)>& ordered) {
    const auto given = std::make_shared<Given>();
    given->order.kind = kind.kind;
    Order& order = given->order;
    CLI::App* const verb =
        drill.add_subcommand(std::string(kind.name), std::string(kind.help) + "; root only");
    verb->add_option("--gateway", order.gateway, "Its name")->required();
    verb->add_flag("--yes", order.yes, "Does not ask: for timers");
    if (kind.kind == Kind::switchover) {
        verb->add_option("--to", order.to, "The node, by name or id; by default the best one");
    }
    if (kind.kind == Kind::service) {
        verb->add_option("--service", order.service, "The name of the program that is to hang")
            ->required();
    }
    if (kind.kind == Kind::partition) {
        verb->add_flag("--stays-off", order.stays_off,
                       "Somebody will switch this node on again where stonith-action is off");
    }
    if (kind.where != Where::there) {
        verb->add_option("--watch", order.watch, "An address to ping from here");
        verb->add_option("--interval", given->interval_s, "Seconds between two pings")
            ->check(CLI::Range(kIntervalMin, kIntervalMax))
            ->capture_default_str();
    }
    verb->add_option("--for", given->at_most_s,
                     "How long the fault stays if nobody takes over: 90s, 5m")
        ->transform(CLI::AsNumberWithUnit(units()))
        ->default_str("90s");
    verb->add_option("--recovery", given->recovery_s,
                     "Waits so long until the cluster is healthy again")
        ->transform(CLI::AsNumberWithUnit(units()))
        ->default_str("180s");
    verb->add_option("--json", order.json_file, "Writes the result into this file")
        ->type_name(kFileType);
    verb->add_option("--html", order.html_file, "Writes the result as a page with a timeline")
        ->type_name(kFileType);
    verb->callback([given, ordered] {
        given->order.interval = in_milliseconds(given->interval_s);
        given->order.at_most = seconds(given->at_most_s);
        given->order.recovery = seconds(given->recovery_s);
        ordered([order = given->order](const auto& ports) { return run_drill(order, ports); });
    });
}

void add_watch(CLI::App& drill, const std::function<void(Verb)>& ordered) {
    const auto order = std::make_shared<WatchOrder>();
    CLI::App* const verb = drill.add_subcommand(
        "watch", "Pings an address while a drill runs elsewhere; root only, on any machine");
    verb->add_option("ADDRESS", order->address, "Behind the gateway, or the gateway's own")
        ->required();
    verb->add_option("--json", order->file, "Writes what was seen into this file")
        ->type_name(kFileType)
        ->required();
    verb->add_option("--interval", order->interval_s, "Seconds between two pings")
        ->check(CLI::Range(kIntervalMin, kIntervalMax))
        ->capture_default_str();
    verb->add_option("--for", order->for_s, "Ends by itself after so long: 90s, 5m, 1h at most")
        ->transform(CLI::AsNumberWithUnit(units()))
        ->check(CLI::Range(1U, kWatchSecondsMax))
        ->default_str("1h");
    verb->callback([order, ordered] {
        ordered([order = *order](const auto& ports) { return run_watch(order, ports); });
    });
}

void add_report(CLI::App& drill, const std::function<void(Verb)>& ordered) {
    const auto order = std::make_shared<ReportOrder>();
    CLI::App* const verb =
        drill.add_subcommand("report", "Joins the result of a drill with what others watched");
    verb->add_option("FILE", order->record, "Of --json of a drill")->required();
    verb->add_option("--watch", order->watches,
                     "Of --json of `vpnha drill watch`; may be repeated");
    verb->add_option("--json", order->json_file, "Writes both into this file")
        ->type_name(kFileType);
    verb->add_option("--html", order->html_file, "Writes them as a page with a timeline")
        ->type_name(kFileType);
    verb->callback([order, ordered] {
        ordered([order = *order](const auto& ports) { return run_report(order, ports); });
    });
}

}  // namespace

void add_drill(CLI::App& app, const std::function<void(Verb)>& ordered) {
    CLI::App* const drill =
        app.add_subcommand("drill", "Makes a failure on purpose, and shows what clients see of it");
    drill->require_subcommand(1);
    for (const KindOf& kind : kKinds) {
        add_kind(*drill, kind, ordered);
    }
    add_watch(*drill, ordered);
    add_report(*drill, ordered);
}

}  // namespace vpnha::cli::drill
