// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/drain.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <ostream>

#include "cli/table.hpp"

namespace vpnha::cli {

namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr milliseconds kPause{1000};  // Between two looks.
// Without news, so that who watches sees that it lives.
constexpr milliseconds kSayEach{60'000};
// A client that answers nothing more is forgotten after a PPP Terminate-Request or two.
constexpr milliseconds kEndPatience{30'000};

class Drainer {
  public:
    Drainer(const DrainOrder& order, const SwitchoverPorts& ports) : order_(order), ports_(ports) {}

    ExitCode run() {
        if (const Result<json> done = ports_.ask("drain", {{"gateway", order_.gateway}}); !done) {
            return report(done.error(), ports_.err);
        }
        const Result<std::uint64_t> left = sessions();
        if (!left) {
            return report(left.error(), ports_.err);
        }
        ports_.say("gateway {} takes no new clients; sessions left: {}", name(), *left);
        return order_.no_wait ? ExitCode::ok : wait(*left);
    }

  private:
    [[nodiscard]] std::string name() const { return printable(order_.gateway); }

    [[nodiscard]] Result<std::uint64_t> sessions() const {
        VPNHA_TRY(const json status, ports_.ask("status", json::object()));
        for (const json& gateway : status.at("gateways")) {
            if (gateway.at("name") == order_.gateway) {
                return gateway.at("sessions").at("total").get<std::uint64_t>();
            }
        }
        return fail(Errc::not_found, fmt::format("vpnhad has no gateway '{}'", name()));
    }

    ExitCode wait(std::uint64_t left) {
        milliseconds waited{};
        milliseconds said{};
        while (left != 0) {
            if (order_.deadline && waited >= *order_.deadline) {
                return at_deadline(left);
            }
            ports_.pause(kPause);
            waited += kPause;
            const Result<std::uint64_t> now = sessions();
            if (!now) {
                return report(now.error(), ports_.err);
            }
            if (*now != left || waited - said >= kSayEach) {
                said = waited;
                ports_.say("sessions left: {}", *now);
            }
            left = *now;
        }
        ports_.say("no session is left; `vpnha undrain {}` has it take clients again", name());
        return ExitCode::ok;
    }

    ExitCode at_deadline(std::uint64_t left) {
        if (order_.move) {
            ports_.say("the time is over; the gateway moves and stays drained; sessions left: {}",
                       left);
            return switch_over({order_.gateway, "", false}, ports_);
        }
        if (order_.end) {
            ports_.say("the time is over; sessions that are ended: {}", left);
            return end_all();
        }
        return report(
            {Errc::timeout,
             fmt::format("sessions left: {}; they go on, and gateway {} still takes no new "
                         "clients. `vpnha switchover` moves it with its sessions, "
                         "`vpnha undrain` has it take clients again",
                         left, name())},
            ports_.err);
    }

    ExitCode end_all() {
        std::string refusal;
        for (milliseconds waited{}; waited <= kEndPatience; waited += kPause) {
            const Result<json> view = ports_.ask("sessions", {{"gateway", order_.gateway}});
            if (!view) {
                return report(view.error(), ports_.err);
            }
            const json& sessions = view->at("sessions");
            if (sessions.empty()) {
                ports_.say("no session is left; `vpnha undrain {}` has it take clients again",
                           name());
                return ExitCode::ok;
            }
            for (const json& session : sessions) {
                // One that has ended meanwhile is not found.
                const auto done = ports_.ask("session_end", {{"id", session.at("id")}});
                if (!done && done.error().code != Errc::not_found) {
                    refusal = done.error().detail;
                }
            }
            ports_.pause(kPause);
        }
        return report({Errc::timeout, refusal.empty() ? "sessions do not end" : refusal},
                      ports_.err);
    }

    const DrainOrder& order_;
    const SwitchoverPorts& ports_;
};

}  // namespace

void add_drain(CLI::App& app, const std::function<void(const DrainOrder&)>& ordered,
               const std::function<void(const std::string&)>& ended) {
    const auto order = std::make_shared<DrainOrder>();
    const auto deadline_s = std::make_shared<std::uint32_t>();
    const std::map<std::string, std::uint32_t> units{{"s", 1}, {"m", 60}, {"h", 3600}};
    CLI::App* const verb = app.add_subcommand(
        "drain", "Has a gateway take no new clients, and waits until it has none; root only");
    verb->add_option("GATEWAY", order->gateway, "Its name")->required();
    CLI::Option* const until =
        verb->add_option("--deadline", *deadline_s, "Waits no longer: 90s, 30m, 2h")
            ->transform(CLI::AsNumberWithUnit(units));
    verb->add_flag("--move", order->move,
                   "At the deadline the gateway goes to another node with what is left")
        ->needs(until);
    verb->add_flag("--end", order->end, "At the deadline what is left is ended; clients are told")
        ->needs(until)
        ->excludes("--move");
    verb->add_flag("--no-wait", order->no_wait, "Does not wait")->excludes(until);
    verb->callback([order, until, deadline_s, ordered] {
        if (until->count() > 0) {
            order->deadline = std::chrono::seconds(*deadline_s);
        }
        ordered(*order);
    });
    const auto gateway = std::make_shared<std::string>();
    CLI::App* const end =
        app.add_subcommand("undrain", "Has a drained gateway take clients again; root only");
    end->add_option("GATEWAY", *gateway, "Its name")->required();
    end->callback([gateway, ended] { ended(*gateway); });
}

ExitCode drain(const DrainOrder& order, const SwitchoverPorts& ports) {
    return Drainer(order, ports).run();
}

ExitCode undrain(const std::string& gateway, const SwitchoverPorts& ports) {
    if (const Result<json> done = ports.ask("undrain", {{"gateway", gateway}}); !done) {
        return report(done.error(), ports.err);
    }
    ports.out << fmt::format("gateway {} takes clients again\n", printable(gateway));
    return ExitCode::ok;
}

}  // namespace vpnha::cli
