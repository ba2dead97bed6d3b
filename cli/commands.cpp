// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/commands.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "cli/bundle/bundle.hpp"
#include "cli/cluster_check.hpp"
#include "cli/completion.hpp"
#include "cli/config_verbs.hpp"
#include "cli/drain.hpp"
#include "cli/drill/verb.hpp"
#include "cli/events.hpp"
#include "cli/exit_code.hpp"
#include "cli/findings.hpp"
#include "cli/gate_view.hpp"
#include "cli/json_text.hpp"
#include "cli/metrics/metrics.hpp"
#include "cli/node_commands.hpp"
#include "cli/old_programs.hpp"
#include "cli/page/page.hpp"
#include "cli/peers_view.hpp"
#include "cli/plan_view.hpp"
#include "cli/rebalance/rebalance.hpp"
#include "cli/replaced_file.hpp"
#include "cli/session_verbs.hpp"
#include "cli/sessions_view.hpp"
#include "cli/status_view.hpp"
#include "cli/switchover.hpp"
#include "cli/table.hpp"
#include "host/pacemaker/cib.hpp"
#include "vpnha/control.hpp"
#include "vpnha/version.hpp"

namespace vpnha::cli {

namespace {

using nlohmann::json;

// The same time as in check_constraints().
constexpr std::chrono::seconds kCibPatience{2};

// The exit codes of monitoring plugins.
enum class CheckCode { ok = 0, warning = 1, critical = 2, unknown = 3 };

class Command {
  public:
    Command(std::ostream& out, std::ostream& err) : out_(out), err_(err) {}

    int run(int argc, const char* const* argv);

  private:
    void add_status();
    void add_sessions();
    void add_peers();
    void add_gate();
    void add_metrics();
    void add_plan();
    void add_resync();
    void add_release();
    void add_watch(CLI::App& verb);
    // Sets the command's action, which gets access to vpnhad and the output streams.
    void notify(std::function<ExitCode(const SwitchoverPorts&)> order);

    ExitCode show_status();
    ExitCode show_sessions();
    ExitCode show_peers();
    ExitCode show_gate();
    ExitCode show_metrics();
    ExitCode show_plan();
    ExitCode resync();
    // Sends the order to vpnhad; prints `done` after a success.
    int order(std::string_view verb, const json& arguments, const std::string& done);
    int check_status();
    int watch(const std::function<ExitCode()>& once);

    Result<json> ask(std::string_view verb, const json& arguments = json::object());
    // The daemon's status, and what only Pacemaker knows.
    Result<json> ask_status();
    // The gateway named, or all that this node is a standby for.
    Result<std::vector<std::string>> gateways_to_resync();
    ExitCode report(const Error& error) { return cli::report(error, err_); }
    // Runs a function that reads a daemon's answer.
    ExitCode read_answer(const std::function<ExitCode()>& reader);
    void print_json(const json& value) { out_ << json_text(value, 2) << "\n"; }

    std::ostream& out_;
    std::ostream& err_;
    CLI::App app_{"Looks at the gateways and sessions of a vpnha cluster."};
    std::function<int()> action_;

    std::string socket_ = kControlSocketPath;
    SessionsOrder sessions_;
    std::string gateway_;
    std::string without_;
    std::string output_;
    double interval_s_ = 0;
    bool no_colour_ = false;
    bool as_json_ = false;
    // Of this node, read once: `--watch` shows the status each second.
    std::optional<Result<std::vector<OldProgram>>> old_programs_;
    bool as_check_ = false;
    bool as_list_ = false;
    bool use_colour_ = false;
};

int Command::run(int argc, const char* const* argv) {
    app_.name("vpnha");
    app_.require_subcommand(1);
    app_.fallthrough();
    app_.add_option("--socket", socket_, "Control socket of vpnhad")
        ->type_name(kFileType)
        ->capture_default_str();
    app_.set_version_flag("--version", fmt::format("vpnha {}", version()));
    app_.add_flag("--no-color", no_colour_, "No colours, as when NO_COLOR is set");
    app_.footer(
        "Exit codes: 0 ok, 1 failed, 2 usage, 3 vpnhad unreachable, 4 not permitted,\n"
        "5 not found, 6 degraded. See vpnha(8).");
    add_status();
    add_sessions();
    add_peers();
    add_gate();
    add_metrics();
    add_plan();
    add_resync();
    add_release();
    add_node_commands(app_, [this](const NodeCommand& word) {
        action_ = [this, word] { return order(word.verb, {{"node", word.node}}, word.done); };
    });
    add_switchover(app_, [this](const Switchover& order) {
        notify([order](const auto& ports) { return switch_over(order, ports); });
    });
    add_drain(
        app_,
        [this](const DrainOrder& order) {
            notify([order](const auto& ports) { return drain(order, ports); });
        },
        [this](const std::string& gateway) {
            notify([gateway](const auto& ports) { return undrain(gateway, ports); });
        });
    rebalance::add_rebalance(app_, [this](rebalance::Verb verb) { notify(std::move(verb)); });
    drill::add_drill(app_, [this](drill::Verb verb) { notify(std::move(verb)); });
    add_session(app_, [this](const SessionOrder& order) {
        notify([order](const auto& ports) {
            return order.ends ? end_session(order.id, ports) : show_session(order, ports);
        });
    });
    add_events(app_, [this](const EventsOrder& order) {
        notify([order](const auto& ports) { return show_events(order, ports); });
    });
    page::add_page(app_, [this](const page::Order& order) {
        notify([order](const auto& ports) { return page::write_page(order, ports); });
    });
    bundle::add_report(app_, [this](const bundle::Order& order) {
        notify([order](const auto& ports) { return bundle::write_report(order, ports); });
    });
    add_cluster(app_, [this](bool as_json) {
        action_ = [this, as_json] {
            return static_cast<int>(show_cluster_check(check_constraints(), as_json, out_, err_));
        };
    });
    const auto order_config = [this](ConfigVerb verb) {
        action_ = [this, verb = std::move(verb)] {
            return static_cast<int>(verb({out_, err_, use_colour_}));
        };
    };
    add_doctor(app_, order_config);
    add_config(app_, order_config);
    add_witness_key(app_, order_config);
    add_completion(app_, [this](Shell shell) {
        action_ = [this, shell] {
            out_ << completion_of(app_, shell);
            return static_cast<int>(ExitCode::ok);
        };
    });
    try {
        app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const bool is_help = error.get_exit_code() == 0;
        const std::vector<std::string> rest = app_.remaining();
        if (!is_help && app_.get_subcommands().empty() && !rest.empty()) {
            // CLI11 would report a missing subcommand instead.
            err_ << "vpnha: there is no subcommand '" << rest.front() << "'; see vpnha --help\n";
            return static_cast<int>(ExitCode::usage);
        }
        app_.exit(error, out_, err_);
        return static_cast<int>(is_help ? ExitCode::ok : ExitCode::usage);
    }
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no thread of ours runs.
    const char* const no_colour = std::getenv("NO_COLOR");
    use_colour_ = !no_colour_ && (no_colour == nullptr || *no_colour == '\0') &&
                  &out_ == &std::cout && ::isatty(STDOUT_FILENO) == 1;
    return action_();
}

void Command::notify(std::function<ExitCode(const SwitchoverPorts&)> order) {
    action_ = [this, order = std::move(order)] {
        return static_cast<int>(read_answer([&] { return order({ask_at(socket_), out_, err_}); }));
    };
}

void Command::add_watch(CLI::App& verb) {
    verb.add_option("--watch", interval_s_, "Again each so many seconds, until interrupted")
        ->expected(0, 1)
        ->default_str("1")
        ->check(CLI::Range(0.1, 3600.0));
}

void Command::add_status() {
    CLI::App* const verb = app_.add_subcommand("status", "Gateways, roles and what is amiss");
    verb->add_flag("--json", as_json_, "The daemon's answer as JSON");
    verb->add_flag("--check", as_check_,
                   "One line for monitoring; exit codes 0 ok, 1 warning, 2 critical, 3 unknown");
    add_watch(*verb);
    verb->callback([this] {
        action_ = [this] {
            return as_check_ ? check_status() : watch([this] { return show_status(); });
        };
    });
}

void Command::add_sessions() {
    CLI::App* const verb = app_.add_subcommand("sessions", "Sessions held by this node");
    verb->add_flag("--json", as_json_, "As JSON");
    verb->add_option("--gateway", gateway_, "Sessions of this gateway only");
    verb->add_option("--columns", sessions_.columns,
                     fmt::format("Of {}", fmt::join(session_columns(), ",")));
    verb->add_option("--sort", sessions_.sort, "By these columns, the first one first");
    verb->add_option("--where", sessions_.where,
                     "Sessions whose COLUMN=PATTERN only, as user=al*; given again: both")
        ->allow_extra_args(false);
    add_watch(*verb);
    verb->callback(
        [this] { action_ = [this] { return watch([this] { return show_sessions(); }); }; });
}

void Command::add_peers() {
    CLI::App* const verb = app_.add_subcommand("peers", "Nodes on which vpnhad runs");
    verb->add_flag("--json", as_json_, "As JSON");
    verb->callback([this] { action_ = [this] { return static_cast<int>(show_peers()); }; });
}

void Command::add_gate() {
    CLI::App* const verb =
        app_.add_subcommand("gate", "Packet gate: open or shut, lease deadline, devices, drops");
    verb->add_flag("--json", as_json_, "As JSON");
    add_watch(*verb);
    verb->callback([this] { action_ = [this] { return watch([this] { return show_gate(); }); }; });
}

void Command::add_metrics() {
    CLI::App* const verb =
        app_.add_subcommand("metrics", "What this node counts, in Prometheus' text format");
    CLI::Option* const output =
        verb->add_option("--output", output_, "Replaces this file, at once, instead of printing")
            ->type_name(kFileType);
    verb->add_flag("--list", as_list_, "All metrics as a table in Markdown; asks nobody")
        ->excludes(output);
    verb->callback([this] { action_ = [this] { return static_cast<int>(show_metrics()); }; });
}

void Command::add_plan() {
    CLI::App* const verb =
        app_.add_subcommand("plan", "Who would take over, and what would be kept");
    verb->add_flag("--json", as_json_, "As JSON");
    verb->add_option("--without", without_,
                     "If this node died, by name or id; by default the promoted one");
    verb->add_option("--gateway", gateway_, "Of this gateway only");
    verb->callback([this] { action_ = [this] { return static_cast<int>(show_plan()); }; });
}

void Command::add_resync() {
    CLI::App* const verb =
        app_.add_subcommand("resync", "Has this standby ask for all records anew; root only");
    verb->add_option("--gateway", gateway_, "Of this gateway only");
    verb->callback([this] { action_ = [this] { return static_cast<int>(resync()); }; });
}

void Command::add_release() {
    CLI::App* const verb = app_.add_subcommand(
        "release", "Ends that this node stands in for the promoted node of a gateway; root only");
    verb->add_option("GATEWAY", gateway_, "Its name")->required();
    verb->callback([this] {
        action_ = [this] {
            return order(
                "release", {{"gateway", gateway_}},
                fmt::format("gateway {}: this node stands in no more", printable(gateway_)));
        };
    });
}

Result<json> Command::ask(std::string_view verb, const json& arguments) {
    return ask_at(socket_)(verb, arguments);
}

Result<json> Command::ask_status() {
    VPNHA_TRY(json status, ask("status"));
    add_constraints(status, check_constraints());
    return status;
}

Result<std::vector<std::string>> Command::gateways_to_resync() {
    if (!gateway_.empty()) {
        return std::vector<std::string>{gateway_};
    }
    VPNHA_TRY(const json status, ask("status"));
    std::vector<std::string> names;
    for (const json& gateway : status.at("gateways")) {
        if (gateway.at("role") == "unpromoted") {
            names.push_back(gateway.at("name").get<std::string>());
        }
    }
    if (names.empty()) {
        return fail(Errc::not_found,
                    "this node is a standby of no gateway: there is nothing to ask for anew");
    }
    return names;
}

ExitCode Command::read_answer(const std::function<ExitCode()>& reader) {
    try {
        return reader();
    } catch (const json::exception& error) {
        return report(other_version(error));
    }
}

ExitCode Command::show_status() {
    Result<json> status = ask_status();
    if (!status) {
        return report(status.error());
    }
    if (!old_programs_) {
        old_programs_ = check_versions();
    }
    add_old_programs(*status, *old_programs_);
    return read_answer([&] {
        if (as_json_) {
            print_json(*status);
        } else {
            out_ << render_status(*status, use_colour_);
        }
        return findings_of(*status).empty() ? ExitCode::ok : ExitCode::degraded;
    });
}

int Command::check_status() {
    const Result<json> status = ask_status();
    if (!status) {
        out_ << "VPNHA UNKNOWN - " << printable(status.error().detail) << "\n";
        return static_cast<int>(CheckCode::unknown);
    }
    CheckCode code = CheckCode::unknown;
    read_answer([&] {
        out_ << render_check(*status);
        switch (health_of(findings_of(*status))) {
            case Health::ok:
                code = CheckCode::ok;
                break;
            case Health::degraded:
                code = CheckCode::warning;
                break;
            case Health::critical:
                code = CheckCode::critical;
                break;
        }
        return ExitCode::ok;
    });
    return static_cast<int>(code);
}

ExitCode Command::show_sessions() {
    if (const Result<void> good = check(sessions_); !good) {
        return report(good.error());
    }
    const Result<json> result =
        ask("sessions", gateway_.empty() ? json::object() : json{{"gateway", gateway_}});
    if (!result) {
        return report(result.error());
    }
    return read_answer([&] {
        const std::int64_t now = std::chrono::duration_cast<std::chrono::seconds>(
                                     std::chrono::system_clock::now().time_since_epoch())
                                     .count();
        const json selected = select_sessions(*result, sessions_, now);
        if (as_json_) {
            print_json(selected);
            return ExitCode::ok;
        }
        const std::vector<std::string> columns =
            sessions_.columns.empty()
                ? default_session_columns(selected)
                : parse_columns(sessions_.columns).value_or(std::vector<std::string>{});
        out_ << render_sessions(selected, columns, now, use_colour_);
        return ExitCode::ok;
    });
}

ExitCode Command::show_peers() {
    const Result<json> status = ask("status");
    if (!status) {
        return report(status.error());
    }
    return read_answer([&] {
        if (as_json_) {
            print_json(
                {{"members", status->at("members")}, {"differences", status->at("differences")}});
        } else {
            out_ << render_peers(*status, use_colour_);
        }
        return ExitCode::ok;
    });
}

ExitCode Command::show_gate() {
    const Result<json> gate = ask("gate");
    if (!gate) {
        return report(gate.error());
    }
    return read_answer([&] {
        if (as_json_) {
            print_json(*gate);
        } else {
            out_ << render_gate(*gate, use_colour_);
        }
        return is_gate_whole(*gate) ? ExitCode::ok : ExitCode::degraded;
    });
}

ExitCode Command::show_metrics() {
    if (as_list_) {
        out_ << metrics_manual();
        return ExitCode::ok;
    }
    return hand_over(ask_metrics(ask_at(socket_)), output_, out_, err_);
}

ExitCode Command::show_plan() {
    json arguments = json::object();
    for (const auto& [name, value] : {std::pair("without", without_), {"gateway", gateway_}}) {
        if (!value.empty()) {
            arguments[name] = value;
        }
    }
    Result<json> plan = ask("plan", arguments);
    if (!plan) {
        return report(plan.error());
    }
    return read_answer([&] {
        add_marks(*plan, adapters::query_cib(adapters::kCibadmin, "status", kCibPatience,
                                             adapters::ErrorOutput::dropped));
        if (as_json_) {
            print_json(*plan);
        } else {
            out_ << render_plan(*plan, use_colour_);
        }
        return lost_sessions(*plan) == 0 ? ExitCode::ok : ExitCode::degraded;
    });
}

int Command::order(std::string_view verb, const json& arguments, const std::string& done) {
    return static_cast<int>(read_answer([&] {
        if (const Result<json> answer = ask(verb, arguments); !answer) {
            return report(answer.error());
        }
        out_ << done << "\n";
        return ExitCode::ok;
    }));
}

ExitCode Command::resync() {
    return read_answer([&] {
        const Result<std::vector<std::string>> names = gateways_to_resync();
        if (!names) {
            return report(names.error());
        }
        for (const std::string& name : *names) {
            if (const Result<json> done = ask("resync", {{"gateway", name}}); !done) {
                return report(done.error());
            }
            out_ << "gateway " << printable(name) << ": this node asks for all records anew\n";
        }
        return ExitCode::ok;
    });
}

int Command::watch(const std::function<ExitCode()>& once) {
    if (interval_s_ <= 0) {
        return static_cast<int>(once());
    }
    for (;;) {
        if (use_colour_) {
            out_ << "\x1b[H\x1b[2J";  // Home, clear.
        }
        // A daemon that does not answer may come back; a wrong command line stays wrong.
        const ExitCode code = once();
        if (code == ExitCode::usage || !out_.flush()) {
            return static_cast<int>(code);
        }
        std::this_thread::sleep_for(std::chrono::duration<double>(interval_s_));
    }
}

}  // namespace

int run(int argc, const char* const* argv, std::ostream& out, std::ostream& err) {
    return Command(out, err).run(argc, argv);
}

}  // namespace vpnha::cli
