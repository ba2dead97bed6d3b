// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/switchover.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <ostream>
#include <thread>

#include "cli/table.hpp"

namespace vpnha::cli {

namespace {

using nlohmann::json;

// Pacemaker needs a second or two; a resource's stop may last for its timeout.
constexpr std::chrono::seconds kPatience{60};
constexpr std::chrono::milliseconds kPause{250};  // Between two requests.
// The nodes report the figures of a finished move at once, or never if vpnhad is older.
constexpr std::chrono::seconds kFiguresPatience{3};

std::string name_in(const json& view, std::string_view end) {
    const json& node = view.at(std::string(end));
    return node.is_null() ? "nobody" : printable(node.at("name").get<std::string>());
}

bool has_figures(const json& view) {
    return !view.at("silence_ms").is_null() && !view.at("lost").is_null();
}

std::string figures(const json& view) {
    const std::string silence =
        view.at("silence_ms").is_null()
            ? "silence not known"
            : fmt::format("silent for {:.0f} ms", view.at("silence_ms").get<double>());
    const std::string sessions =
        view.at("lost").is_null()
            ? "sessions not counted"
            : fmt::format("{} sessions moved, {} lost", view.at("moved").get<std::uint64_t>(),
                          view.at("lost").get<std::uint64_t>());
    return fmt::format("{}, {}", silence, sessions);
}

// One move, from the first request to the last line.
class Mover {
  public:
    Mover(const Switchover& order, const SwitchoverPorts& ports) : order_(order), ports_(ports) {}

    ExitCode run() {
        json arguments{{"gateway", order_.gateway}, {"dry_run", order_.dry_run}};
        if (!order_.to.empty()) {
            arguments["to"] = order_.to;
        }
        const Result<json> plan = ports_.ask("switchover", arguments);
        if (!plan) {
            return report(plan.error(), ports_.err);
        }
        ports_.print("gateway {}: from {} to {}, {} sessions", printable(order_.gateway),
                     name_in(*plan, "from"), name_in(*plan, "to"),
                     plan->at("sessions").get<std::uint64_t>());
        if (order_.dry_run) {
            ports_.print("nothing was done");
            return ExitCode::ok;
        }
        arguments["to"] = std::to_string(plan->at("to").at("id").get<std::uint32_t>());
        arguments["epoch"] = plan->at("epoch");
        ports_.print("{} calls for the role; Pacemaker decides", name_in(*plan, "to"));
        return wait(arguments, *plan);
    }

  private:
    ExitCode wait(const json& arguments, const json& plan) {
        for (std::chrono::milliseconds waited{}; waited < kPatience; waited += kPause) {
            ports_.pause(kPause);
            const Result<json> view = ports_.ask("switchover", arguments);
            if (!view) {
                return report(view.error(), ports_.err);
            }
            if (view->at("state") == "moved") {
                return end(arguments, plan, *view);
            }
        }
        return give_up(plan);
    }

    ExitCode end(const json& arguments, const json& plan, json view) {
        if (name_in(view, "to") != name_in(plan, "to")) {
            return report({Errc::stale_epoch,
                           fmt::format("{} has the gateway now, not {}: something else has moved "
                                       "it, or Pacemaker could not promote the node; look at "
                                       "crm_mon and the logs",
                                       name_in(view, "to"), name_in(plan, "to"))},
                          ports_.err);
        }
        ports_.print("{} is promoted", name_in(view, "to"));
        for (std::chrono::milliseconds waited{}; !has_figures(view) && waited < kFiguresPatience;
             waited += kPause) {
            ports_.pause(kPause);
            if (const Result<json> later = ports_.ask("switchover", arguments)) {
                view = *later;
            }
        }
        ports_.print("{}", figures(view));
        const bool lost = !view.at("lost").is_null() && view.at("lost").get<std::uint64_t>() != 0;
        return lost ? ExitCode::degraded : ExitCode::ok;
    }

    ExitCode give_up(const json& plan) {
        // What prevents the move now, if vpnhad knows it.
        const Result<json> again =
            ports_.ask("switchover", {{"gateway", order_.gateway},
                                      {"to", std::to_string(plan.at("to").at("id").get<int>())},
                                      {"dry_run", true}});
        if (!again) {
            return report(again.error(), ports_.err);
        }
        return report({Errc::timeout,
                       fmt::format("Pacemaker has not moved the role to {} within {} s; nothing "
                                   "remains of the attempt. Look at crm_mon: is the cluster or "
                                   "the resource in maintenance, is there a ban or a failed "
                                   "action, is vpnhad there of an older release?",
                                   name_in(plan, "to"), kPatience.count())},
                      ports_.err);
    }

    const Switchover& order_;
    const SwitchoverPorts& ports_;
};

}  // namespace

void sleep_for(std::chrono::milliseconds time) {
    std::this_thread::sleep_for(time);
}

void add_switchover(CLI::App& app, const std::function<void(const Switchover&)>& ordered) {
    const auto order = std::make_shared<Switchover>();
    CLI::App* const verb = app.add_subcommand(
        "switchover", "Moves a gateway to another node, sessions and all; root only");
    verb->add_option("GATEWAY", order->gateway, "Its name")->required();
    verb->add_option("--to", order->to, "The node, by name or id; by default the best one");
    verb->add_flag("--dry-run", order->dry_run, "Only reports whether it could be done");
    verb->callback([order, ordered] { ordered(*order); });
}

ExitCode switch_over(const Switchover& order, const SwitchoverPorts& ports) {
    return Mover(order, ports).run();
}

}  // namespace vpnha::cli
