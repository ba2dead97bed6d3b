// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/events.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/json_text.hpp"
#include "cli/table.hpp"

namespace vpnha::cli {

namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr milliseconds kFollowPause{300};

void print(const json& event, const EventsOrder& order, std::ostream& out) {
    const json& fields = event.at("fields");
    if ((!order.event.empty() && event.at("event") != order.event) ||
        (!order.gateway.empty() && fields.value("gateway", "") != order.gateway) ||
        (!order.session.empty() && fields.value("session", "") != order.session)) {
        return;
    }
    if (order.as_json) {
        out << json_text(event) << "\n";
    } else {
        out << fmt::format("{} {}: {}\n", event.at("time").get<std::string>(),
                           event.at("level").get<std::string>(),
                           printable(event.at("text").get<std::string>()));
    }
}

}  // namespace

Result<bool> read_events(EventsRead& read, const Ask& ask,
                         const std::function<void(const json&)>& event) {
    VPNHA_TRY(const json answer, ask("events", {{"after", read.sequence}}));
    const std::string instance = answer.at("instance").get<std::string>();
    if (read.instance != instance) {
        // Another vpnhad counts from the beginning: its events have to be read from the start.
        const bool again = !read.instance.empty();
        read = {instance, 0};
        if (again) {
            return true;
        }
    }
    const json& events = answer.at("events");
    for (const json& each : events) {
        event(each);
        read.sequence = each.at("sequence").get<std::uint64_t>();
    }
    return !events.empty();
}

void add_events(CLI::App& app, const std::function<void(const EventsOrder&)>& ordered) {
    CLI::App* const verb =
        app.add_subcommand("events", "Events of vpnhad: the lines with event= of its log");
    const auto order = std::make_shared<EventsOrder>();
    verb->add_flag("--follow", order->follow, "Follows them as they come, until interrupted");
    verb->add_flag("--json", order->as_json, "A JSON object a line");
    verb->add_option("--gateway", order->gateway, "Of this gateway only");
    verb->add_option("--event", order->event, "Of this word only");
    verb->add_option("--session", order->session, "Of this session only, by its whole id");
    verb->callback([order, ordered] { ordered(*order); });
}

ExitCode show_events(const EventsOrder& order, const SwitchoverPorts& ports,
                     const std::function<bool()>& continues) {
    EventsRead read;
    bool is_there = true;
    while (true) {
        const Result<bool> more = read_events(
            read, ports.ask, [&](const json& event) { print(event, order, ports.out); });
        ports.out << std::flush;
        // vpnhad will be restarted: a follower continues with the events of the next one.
        const bool waits = !more && order.follow && !read.instance.empty() &&
                           more.error().code == Errc::unreachable;
        if (!more && !waits) {
            return report(more.error(), ports.err);
        }
        if (is_there && waits) {
            ports.err << "vpnha: vpnhad is not there; waiting for the next one\n" << std::flush;
        }
        is_there = !waits;
        if (more && *more) {
            continue;
        }
        if (!order.follow || !ports.out || !continues()) {
            return ExitCode::ok;
        }
        ports.pause(kFollowPause);
    }
}

}  // namespace vpnha::cli
