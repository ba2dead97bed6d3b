// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/session_verbs.hpp"

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "cli/events.hpp"
#include "cli/json_text.hpp"
#include "cli/session/holders.hpp"
#include "cli/sessions_view.hpp"
#include "cli/table.hpp"

namespace vpnha::cli {

namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr milliseconds kSessionPause{200};
// Between the two readings for a rate.
constexpr milliseconds kRatePause{1'000};
// pppd waits 6 s for a client that does not answer its Terminate-Requests.
constexpr milliseconds kSessionPatience{15'000};

// Those whose ids begin with `id`.
Result<std::vector<json>> find(const std::string& id, const SwitchoverPorts& ports) {
    VPNHA_TRY(const json view, ports.ask("sessions", json::object()));
    std::vector<json> found;
    for (const json& session : view.at("sessions")) {
        if (session.at("id").get_ref<const std::string&>().starts_with(id)) {
            found.push_back(session);
        }
    }
    return found;
}

// The newest reading, and the rate since one before it. nullopt: there is nothing to read.
Result<std::optional<std::pair<session::Reading, session::Rate>>> watch_traffic(
    const json& listed, const SwitchoverPorts& ports, const session::Read& read) {
    VPNHA_TRY(const std::optional<session::Reading> before, read(listed));
    if (!before) {
        return std::nullopt;
    }
    ports.pause(kRatePause);
    VPNHA_TRY(const std::vector<json> now, find(listed.at("id").get<std::string>(), ports));
    if (now.empty()) {
        return std::nullopt;
    }
    VPNHA_TRY(const std::optional<session::Reading> after, read(now.front()));
    if (!after) {
        return std::nullopt;  // It has ended meanwhile.
    }
    return std::pair(*after, session::rate_of(*before, *after));
}

}  // namespace

void add_session(CLI::App& app, const std::function<void(const SessionOrder&)>& ordered) {
    CLI::App* const verb = app.add_subcommand("session", "One session: its state, or its end");
    verb->require_subcommand(1);
    const auto order = std::make_shared<SessionOrder>();
    const auto add = [&](const char* name, const char* help, bool ends) {
        CLI::App* const each = verb->add_subcommand(name, help);
        each->add_option("ID", order->id, "As `vpnha sessions` shows it, or its first digits")
            ->required();
        each->callback([order, ordered, ends] {
            order->ends = ends;
            ordered(*order);
        });
        return each;
    };
    add("show", "All that this node knows of it, and what its log has of it", false)
        ->add_flag("--json", order->as_json, "The session as JSON");
    add("end", "Ends it, and notifies its client; root only", true);
}

ExitCode show_session(const SessionOrder& order, const SwitchoverPorts& ports,
                      const session::Read& read) {
    const Result<std::vector<json>> found = find(order.id, ports);
    if (!found) {
        return report(found.error(), ports.err);
    }
    if (found->size() != 1) {
        return report(
            found->empty()
                ? Error{Errc::not_found, fmt::format("this node knows no session '{}'", order.id)}
                : Error{Errc::invalid_argument,
                        fmt::format("the ids of {} sessions begin with '{}': give more "
                                    "digits",
                                    found->size(), order.id)},
            ports.err);
    }
    const Result<json> status = ports.ask("status", json::object());
    if (!status) {
        return report(status.error(), ports.err);
    }
    json shown = found->front();
    const auto traffic = watch_traffic(shown, ports, read);
    if (order.as_json) {
        shown["traffic"] = traffic && *traffic
                               ? session::traffic_json((*traffic)->first, (*traffic)->second)
                               : json(nullptr);
        shown["served_by"] = session::holders_since(*status, shown);
        ports.out << json_text(shown, 2) << "\n";
        return ExitCode::ok;
    }
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    ports.out << render_session(shown,
                                std::chrono::duration_cast<std::chrono::seconds>(now).count());
    if (!traffic) {
        ports.out << fmt::format("{:<12} not looked at: {}\n", "traffic",
                                 printable(traffic.error().detail));
    } else if (*traffic) {
        ports.out << session::render_traffic((*traffic)->first, (*traffic)->second);
    }
    ports.out << session::render_holders(*status, shown) << "\n";
    return show_events({.session = shown.at("id").get<std::string>()}, ports);
}

ExitCode end_session(const std::string& id, const SwitchoverPorts& ports) {
    const Result<std::vector<json>> found = find(id, ports);
    if (!found) {
        return report(found.error(), ports.err);
    }
    if (const Result<json> done = ports.ask("session_end", {{"id", id}}); !done) {
        return report(done.error(), ports.err);
    }
    const auto of = [&](const char* member) {
        return found->empty() ? std::string()
                              : printable(found->front().at(member).get<std::string>());
    };
    for (milliseconds waited{}; waited <= kSessionPatience; waited += kSessionPause) {
        const Result<std::vector<json>> left = find(id, ports);
        if (!left) {
            return report(left.error(), ports.err);
        }
        if (left->empty()) {
            ports.print("ended: {} of {} at {}", of("protocol"), of("user"), of("peer"));
            return ExitCode::ok;
        }
        ports.pause(kSessionPause);
    }
    return report(
        {Errc::timeout, fmt::format("session {} was asked to end, and is still there after {} s",
                                    printable(id), kSessionPatience.count() / 1000)},
        ports.err);
}

}  // namespace vpnha::cli
