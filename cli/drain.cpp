// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/drain.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <ostream>
#include <vector>

#include "cli/table.hpp"

namespace vpnha::cli {

namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr milliseconds kLookPause{1000};  // Between two checks.
// A line of progress without news, so that the user sees that the command still runs.
constexpr milliseconds kPrintEach{60'000};
// A client that does not answer is forgotten after a PPP Terminate-Request or two.
constexpr milliseconds kEndPatience{30'000};

class Drainer {
  public:
    Drainer(const DrainOrder& order, const SwitchoverPorts& ports) : order_(order), ports_(ports) {}

    ExitCode run() {
        if (const Result<void> found = find_gateways(); !found) {
            return report(found.error(), ports_.err);
        }
        if (gateways_.empty()) {
            ports_.print("{} serves no gateway", printable(order_.target));
            return ExitCode::ok;
        }
        for (const std::string& gateway : gateways_) {
            if (const Result<json> done = ports_.ask("drain", {{"gateway", gateway}}); !done) {
                return report(done.error(), ports_.err);
            }
        }
        const Result<std::uint64_t> left = sessions();
        if (!left) {
            return report(left.error(), ports_.err);
        }
        ports_.print("{} no new clients; sessions left: {}", is("accepts", "accept"), *left);
        return order_.no_wait ? ExitCode::ok : wait(*left);
    }

  private:
    // "gateway dialin accepts", "gateways dialin, office accept".
    [[nodiscard]] std::string is(std::string_view one, std::string_view several) const {
        return fmt::format("gateway{} {} {}", gateways_.size() == 1 ? "" : "s",
                           fmt::join(printable_names(), ", "),
                           gateways_.size() == 1 ? one : several);
    }
    [[nodiscard]] std::vector<std::string> printable_names() const {
        std::vector<std::string> names;
        std::ranges::transform(gateways_, std::back_inserter(names),
                               [](const std::string& name) { return printable(name); });
        return names;
    }
    [[nodiscard]] std::string undrain_words() const {
        return fmt::format("`vpnha undrain {}` has it accept clients again",
                           fmt::join(printable_names(), "`, `vpnha undrain "));
    }

    // A gateway of that name, or all that this node serves.
    Result<void> find_gateways() {
        VPNHA_TRY(const json status, ports_.ask("status", json::object()));
        const json& known = status.at("gateways");
        const bool is_node = std::ranges::none_of(
            known, [&](const json& gateway) { return gateway.at("name") == order_.target; });
        if (is_node && status.at("node").at("name") != order_.target) {
            return fail(Errc::not_found,
                        fmt::format("vpnhad has no gateway '{}', and this node is {}: a node is "
                                    "drained by a command on it",
                                    printable(order_.target),
                                    printable(status.at("node").at("name").get<std::string>())));
        }
        for (const json& gateway : known) {
            const json& name = gateway.at("name");
            if (is_node ? gateway.at("role") == "promoted" : name == order_.target) {
                gateways_.push_back(name.get<std::string>());
            }
        }
        return {};
    }

    [[nodiscard]] Result<std::uint64_t> sessions() const {
        VPNHA_TRY(const json status, ports_.ask("status", json::object()));
        const json& known = status.at("gateways");
        std::uint64_t left = 0;
        for (const std::string& name : gateways_) {
            const auto found = std::ranges::find_if(
                known, [&](const json& gateway) { return gateway.at("name") == name; });
            if (found == known.end()) {
                return fail(Errc::not_found,
                            fmt::format("vpnhad has no gateway '{}'", printable(name)));
            }
            left += found->at("sessions").at("total").get<std::uint64_t>();
        }
        return left;
    }

    ExitCode wait(std::uint64_t left) {
        milliseconds waited{};
        milliseconds printed{};
        while (left != 0) {
            if (order_.deadline && waited >= *order_.deadline) {
                return at_deadline(left);
            }
            ports_.pause(kLookPause);
            waited += kLookPause;
            const Result<std::uint64_t> now = sessions();
            if (!now) {
                return report(now.error(), ports_.err);
            }
            if (*now != left || waited - printed >= kPrintEach) {
                printed = waited;
                ports_.print("sessions left: {}", *now);
            }
            left = *now;
        }
        ports_.print("no session is left; {}", undrain_words());
        return ExitCode::ok;
    }

    ExitCode at_deadline(std::uint64_t left) {
        if (order_.move) {
            ports_.print("the time is over; {} and {} drained; sessions left: {}",
                         is("moves", "move"), gateways_.size() == 1 ? "stays" : "stay", left);
            return move_all();
        }
        if (order_.end) {
            ports_.print("the time is over; sessions that are ended: {}", left);
            return end_all();
        }
        return report(
            {Errc::timeout,
             fmt::format("sessions left: {}; they continue, and {} no new clients. `vpnha "
                         "switchover` moves a gateway with its sessions, {}",
                         left, is("still accepts", "still accept"), undrain_words())},
            ports_.err);
    }

    // Moves all that can be moved; returns the first failure.
    ExitCode move_all() {
        ExitCode result = ExitCode::ok;
        for (const std::string& gateway : gateways_) {
            const ExitCode moved = switch_over({gateway, "", false}, ports_);
            result = result == ExitCode::ok ? moved : result;
        }
        return result;
    }

    ExitCode end_all() {
        std::string refusal;
        for (milliseconds waited{}; waited <= kEndPatience; waited += kLookPause) {
            bool any = false;
            for (const std::string& gateway : gateways_) {
                const Result<json> view = ports_.ask("sessions", {{"gateway", gateway}});
                if (!view) {
                    return report(view.error(), ports_.err);
                }
                for (const json& session : view->at("sessions")) {
                    any = true;
                    // A session that has ended meanwhile is not found.
                    const auto done = ports_.ask("session_end", {{"id", session.at("id")}});
                    if (!done && done.error().code != Errc::not_found) {
                        refusal = done.error().detail;
                    }
                }
            }
            if (!any) {
                ports_.print("no session is left; {}", undrain_words());
                return ExitCode::ok;
            }
            ports_.pause(kLookPause);
        }
        return report({Errc::timeout, refusal.empty() ? "sessions do not end" : refusal},
                      ports_.err);
    }

    const DrainOrder& order_;
    const SwitchoverPorts& ports_;
    std::vector<std::string> gateways_;
};

}  // namespace

void add_drain(CLI::App& app, const std::function<void(const DrainOrder&)>& ordered,
               const std::function<void(const std::string&)>& ended) {
    const auto order = std::make_shared<DrainOrder>();
    const auto deadline_s = std::make_shared<std::uint32_t>();
    const std::map<std::string, std::uint32_t> units{{"s", 1}, {"m", 60}, {"h", 3600}};
    CLI::App* const verb = app.add_subcommand(
        "drain", "Has gateways accept no new clients, and waits until they have none; root only");
    verb->add_option("GATEWAY|NODE", order->target,
                     "The gateway's name; this node's: all gateways that it serves")
        ->required();
    CLI::Option* const until =
        verb->add_option("--deadline", *deadline_s, "Waits no longer: 90s, 30m, 2h")
            ->transform(CLI::AsNumberWithUnit(units));
    verb->add_flag("--move", order->move,
                   "At the deadline gateways go to other nodes with what is left")
        ->needs(until);
    verb->add_flag("--end", order->end,
                   "At the deadline what is left is ended; clients are notified")
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
        app.add_subcommand("undrain", "Has a drained gateway accept clients again; root only");
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
    ports.out << fmt::format("gateway {} accepts clients again\n", printable(gateway));
    return ExitCode::ok;
}

}  // namespace vpnha::cli
