// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/rebalance/rebalance.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/drill/look.hpp"
#include "cli/findings.hpp"
#include "cli/json_text.hpp"
#include "cli/rebalance/moves.hpp"
#include "cli/table.hpp"

namespace vpnha::cli::rebalance {

namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr milliseconds kSyncPause{500};  // Between two checks.
// A former holder gets a snapshot at most, as a node does that joins.
constexpr std::chrono::seconds kSyncPatience{180};

struct Place {
    std::string node;
    std::string amiss;  // Why no gateway is moved to it or from it; empty: it counts.
};

struct Step {
    Move move;
    const char* state = "planned";  // Then "moved" or "failed".
};

bool is_member(const json& status, const std::string& node) {
    return std::ranges::any_of(status.at("members"),
                               [&](const json& member) { return member.at("name") == node; });
}

class Rebalancer {
  public:
    Rebalancer(const Order& order, const SwitchoverPorts& ports, const Look& look)
        : order_(order),
          ports_(ports),
          look_(look),
          progress_{ports.ask, order.as_json ? ports.err : ports.out, ports.err, ports.pause} {}

    ExitCode run() {
        if (const Result<void> known = find_out(); !known) {
            return report(known.error(), ports_.err);
        }
        for (Move& move : moves_to_even(gateways_, counted())) {
            steps_.push_back({.move = std::move(move)});
        }
        if (!order_.as_json) {
            show();
        }
        const ExitCode code = order_.yes ? move_all() : ExitCode::ok;
        if (order_.as_json) {
            ports_.out << json_text(view(), 2) << "\n";
        }
        return code;
    }

  private:
    Result<void> find_out() {
        VPNHA_TRY(const drill::Facts facts, look_());
        if (!facts.status.at("quorate").get<bool>()) {
            return fail(Errc::busy,
                        "this node is without quorum, and Pacemaker moves nothing: bring the "
                        "other nodes back first");
        }
        if (!facts.cluster) {
            return fail(Errc::unreachable,
                        fmt::format("Pacemaker does not answer ({}): is it started here?",
                                    facts.cluster.error().detail));
        }
        if (facts.cluster->in_maintenance) {
            return fail(Errc::busy,
                        "the cluster is in maintenance mode, and Pacemaker moves nothing: "
                        "crm_attribute --name maintenance-mode --delete");
        }
        notes_ = facts.constraints;
        for (const drill::ClusterNode& node : facts.cluster->nodes) {
            const bool is_silent = node.amiss.empty() && !is_member(facts.status, node.name);
            places_.push_back({node.name, is_silent ? "no vpnhad answers there" : node.amiss});
        }
        for (const json& gateway : facts.status.at("gateways")) {
            VPNHA_CHECK(add_gateway(facts.status, gateway));
        }
        return {};
    }

    Result<void> add_gateway(const json& status, const json& gateway) {
        Served served{.name = gateway.at("name").get<std::string>(),
                      .node = member_name(status, gateway.at("promoted_node")),
                      .standbys = {},
                      .sessions = gateway.at("sessions").at("total").get<std::uint64_t>()};
        const json& role = gateway.at("role");
        if (role == "detached" || role == "stopped") {
            return fail(Errc::busy,
                        fmt::format("this node takes no part in gateway {}, and does not know "
                                    "which node serves it; run the command on a node that does",
                                    served.name));
        }
        if (served.node.empty()) {
            return fail(Errc::busy,
                        fmt::format("no node that is reachable serves gateway {}: look at crm_mon, "
                                    "and wait until Pacemaker has promoted one",
                                    served.name));
        }
        const std::vector<std::string> nodes = counted();
        if (std::ranges::find(nodes, served.node) == nodes.end()) {
            notes_.push_back(
                fmt::format("gateway {} stays on {}: it cannot be moved from there by this command",
                            served.name, served.node));
        } else {
            VPNHA_CHECK(find_standbys(nodes, served));
        }
        gateways_.push_back(std::move(served));
        return {};
    }

    Result<void> find_standbys(const std::vector<std::string>& nodes, Served& served) {
        for (const std::string& node : nodes) {
            if (node == served.node) {
                continue;
            }
            VPNHA_TRY(const std::string objection, objection_to(node, served.name));
            if (objection.empty()) {
                served.standbys.push_back(node);
            } else {
                notes_.push_back(objection);
            }
        }
        return {};
    }

    // Why vpnhad would not move the gateway to that node now; empty: it would.
    [[nodiscard]] Result<std::string> objection_to(const std::string& node,
                                                   const std::string& gateway) const {
        const Result<json> possible =
            ports_.ask("switchover", {{"gateway", gateway}, {"to", node}, {"dry_run", true}});
        if (possible) {
            return std::string();
        }
        const Error& error = possible.error();
        return error.code == Errc::busy || error.code == Errc::not_found
                   ? Result<std::string>(error.detail)
                   : Result<std::string>(tl::unexpected(error));
    }

    [[nodiscard]] std::vector<std::string> counted() const {
        std::vector<std::string> nodes;
        for (const Place& place : places_) {
            if (place.amiss.empty()) {
                nodes.push_back(place.node);
            }
        }
        return nodes;
    }

    void show() const {
        std::vector<Row> rows;
        for (const Place& place : places_) {
            std::vector<std::string> names;
            std::uint64_t sessions = 0;
            for (const Served& gateway : gateways_) {
                if (gateway.node == place.node) {
                    names.push_back(gateway.name);
                    sessions += gateway.sessions;
                }
            }
            rows.push_back(
                {place.node,
                 names.empty() ? std::string("-") : fmt::format("{}", fmt::join(names, ", ")),
                 std::to_string(sessions), place.amiss.empty() ? std::string("ok") : place.amiss});
        }
        ports_.out << render_table({"NODE", "GATEWAYS", "SESSIONS", "STATE"}, rows, false);
        for (const std::string& note : notes_) {
            ports_.print("note: {}", printable(note));
        }
        for (const Step& step : steps_) {
            ports_.print("move: {}, {} sessions", words_of(step.move, true), step.move.sessions);
        }
        if (steps_.empty()) {
            ports_.print("nothing to do: no move would spread the gateways more evenly");
        } else if (!order_.yes) {
            ports_.print("nothing was done; `vpnha rebalance --yes` makes the moves");
        }
    }

    // "dialin to gw2", "dialin from gw1 to gw2".
    [[nodiscard]] static std::string words_of(const Move& move, bool has_origin = false) {
        return fmt::format("{}{} to {}", printable(move.gateway),
                           has_origin ? " from " + printable(move.from) : std::string(),
                           printable(move.to));
    }

    ExitCode move_all() {
        for (std::size_t i = 0; i < steps_.size(); ++i) {
            Step& step = steps_[i];
            progress_.print("move {} of {}", i + 1, steps_.size());
            const ExitCode code = switch_over({step.move.gateway, step.move.to, false}, progress_);
            step.state = code == ExitCode::ok || code == ExitCode::degraded ? "moved" : "failed";
            if (code != ExitCode::ok) {
                return stop(code);
            }
            if (const Result<void> synced = wait_in_sync(step.move); !synced) {
                return stop(report(synced.error(), ports_.err));
            }
            progress_.print("all nodes are in sync with it again");
        }
        return ExitCode::ok;
    }

    ExitCode stop(ExitCode code) const {
        std::vector<std::string> done;
        std::vector<std::string> left;
        for (const Step& step : steps_) {
            (std::string_view(step.state) == "moved" ? done : left).push_back(words_of(step.move));
        }
        ports_.err << fmt::format(
            "vpnha: stopped{}; moves done: {}; not done: {}\n",
            code == ExitCode::degraded ? ", because sessions were lost" : "",
            done.empty() ? std::string("none") : fmt::format("{}", fmt::join(done, ", ")),
            left.empty() ? std::string("none") : fmt::format("{}", fmt::join(left, ", ")));
        return code;
    }

    // Until the nodes that could have the gateway before the move, and its former holder, could
    // have it again.
    Result<void> wait_in_sync(const Move& move) const {
        std::vector<std::string> nodes =
            std::ranges::find(gateways_, move.gateway, &Served::name)->standbys;
        std::erase(nodes, move.to);
        nodes.push_back(move.from);
        for (milliseconds waited{};; waited += kSyncPause) {
            std::string missing;
            for (const std::string& node : nodes) {
                if (missing.empty()) {
                    VPNHA_TRY(missing, objection_to(node, move.gateway));
                }
            }
            if (missing.empty()) {
                return {};
            }
            if (waited >= kSyncPatience) {
                return fail(Errc::timeout,
                            fmt::format("gateway {} was moved to {}, but not all nodes are in sync "
                                        "with it after {} s: {}",
                                        move.gateway, move.to, kSyncPatience.count(), missing));
            }
            ports_.pause(kSyncPause);
        }
    }

    // As it was before the moves, except for their states.
    [[nodiscard]] json view() const {
        json nodes = json::array();
        for (const Place& place : places_) {
            nodes.push_back({{"name", place.node},
                             {"amiss", place.amiss.empty() ? json() : json(place.amiss)}});
        }
        json gateways = json::array();
        for (const Served& gateway : gateways_) {
            gateways.push_back({{"name", gateway.name},
                                {"node", gateway.node},
                                {"standbys", gateway.standbys},
                                {"sessions", gateway.sessions}});
        }
        json moves = json::array();
        for (const Step& step : steps_) {
            moves.push_back({{"gateway", step.move.gateway},
                             {"from", step.move.from},
                             {"to", step.move.to},
                             {"sessions", step.move.sessions},
                             {"state", step.state}});
        }
        return {{"nodes", std::move(nodes)},
                {"gateways", std::move(gateways)},
                {"notes", notes_},
                {"moves", std::move(moves)}};
    }

    const Order& order_;
    const SwitchoverPorts& ports_;
    const Look& look_;
    SwitchoverPorts progress_;
    std::vector<Place> places_;
    std::vector<Served> gateways_;
    std::vector<std::string> notes_;
    std::vector<Step> steps_;
};

}  // namespace

void add_rebalance(CLI::App& app, const std::function<void(Verb)>& ordered) {
    const auto order = std::make_shared<Order>();
    CLI::App* const verb = app.add_subcommand(
        "rebalance",
        "Shows the fewest moves that spread the gateways evenly over the nodes; root only");
    verb->add_flag("--yes", order->yes, "Makes the moves, one after the other");
    verb->add_flag("--json", order->as_json, "As JSON");
    verb->callback([order, ordered] {
        ordered([order = *order](const SwitchoverPorts& ports) {
            return spread_gateways(order, ports,
                                   [&ports] { return drill::look_at_health(ports.ask); });
        });
    });
}

ExitCode spread_gateways(const Order& order, const SwitchoverPorts& ports, const Look& look) {
    return Rebalancer(order, ports, look).run();
}

}  // namespace vpnha::cli::rebalance
