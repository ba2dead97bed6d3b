// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/session_end.hpp"

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "cli/table.hpp"

namespace vpnha::cli {

namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr milliseconds kSessionPause{200};
// pppd waits 6 s for a client that does not answer its Terminate-Requests.
constexpr milliseconds kSessionPatience{15'000};

// Of the sessions with that begin of an id the first; nullopt: there is none.
Result<std::optional<json>> find(const std::string& id, const SwitchoverPorts& ports) {
    VPNHA_TRY(const json view, ports.ask("sessions", json::object()));
    for (const json& session : view.at("sessions")) {
        if (session.at("id").get_ref<const std::string&>().starts_with(id)) {
            return session;
        }
    }
    return std::optional<json>();
}

}  // namespace

void add_session_end(CLI::App& app, const std::function<void(const std::string&)>& ordered) {
    CLI::App* const verb = app.add_subcommand("session", "Acts on one session; root only");
    verb->require_subcommand(1);
    CLI::App* const end = verb->add_subcommand("end", "Ends it, and tells its client");
    const auto id = std::make_shared<std::string>();
    end->add_option("ID", *id, "As `vpnha sessions` shows it, or its first digits")->required();
    end->callback([id, ordered] { ordered(*id); });
}

ExitCode end_session(const std::string& id, const SwitchoverPorts& ports) {
    const Result<std::optional<json>> session = find(id, ports);
    if (!session) {
        return report(session.error(), ports.err);
    }
    if (const Result<json> done = ports.ask("session_end", {{"id", id}}); !done) {
        return report(done.error(), ports.err);
    }
    const auto of = [&](const char* member) {
        return *session ? printable((*session)->at(member).get<std::string>()) : std::string();
    };
    for (milliseconds waited{}; waited <= kSessionPatience; waited += kSessionPause) {
        const Result<std::optional<json>> left = find(id, ports);
        if (!left) {
            return report(left.error(), ports.err);
        }
        if (!*left) {
            ports.say("ended: {} of {} at {}", of("protocol"), of("user"), of("peer"));
            return ExitCode::ok;
        }
        ports.pause(kSessionPause);
    }
    return report(
        {Errc::timeout, fmt::format("session {} was told to end, and is still there after "
                                    "{} s",
                                    printable(id), kSessionPatience.count() / 1000)},
        ports.err);
}

}  // namespace vpnha::cli
