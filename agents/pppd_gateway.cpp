// SPDX-License-Identifier: GPL-2.0-or-later
// ocf:vpnha:pppd mode=gateway: would the sessions of a gateway outlive a failure now? A clone
// beside checkpoint, which asks vpnhad and changes nothing.
//
// It never fails: what is amiss is told as degraded (190), which Pacemaker shows and does not act
// on. A failover would not bring a standby in sync, and would lose the sessions that are told of
// here. 191 is for promotable resources: of any other one it is a failure.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "host/os/text_file.hpp"
#include "pppd.hpp"
#include "vpnha/control.hpp"

namespace vpnha::agents {

namespace {

using nlohmann::json;
using ocf::Call;
using ocf::Code;
using ocf::Level;
using ocf::Outcome;

// A vpnhad that is slower than this is checkpoint's to judge.
constexpr auto kStatusPatience = std::chrono::seconds(2);
constexpr const char* kLooks = "/run/vpnha/pppd";

// Stands from start to stop, and holds what was found last.
std::string look_file(const Call& call) {
    return fmt::format("{}/{}", kLooks, call.instance());
}

Result<json> gateway_status(const Call& call) {
    const std::string socket = call.parameter("socket");
    VPNHA_TRY(ControlClient client, ControlClient::connect(socket, kStatusPatience));
    VPNHA_TRY(const std::string answer, client.request("status", "{}"));
    const json status = json::parse(answer, nullptr, false);
    const json gateways = status.is_object() ? status.value("gateways", json()) : json();
    const std::string name = call.parameter("gateway");
    for (const json& gateway : gateways) {
        if (gateway.is_object() &&
            (gateway.value("name", "") == name || (name.empty() && gateways.size() == 1))) {
            return gateway;
        }
    }
    return fail(Errc::not_found, fmt::format("vpnhad knows no gateway '{}'", name));
}

std::size_t count_in(const json& gateway, const char* group, const char* name) {
    const json found = gateway.value(group, json::object());
    return found.is_object() ? found.value(name, std::size_t{0}) : 0;
}

// Of the node that serves; empty: nothing.
std::string amiss_with_sessions(const json& gateway) {
    const std::size_t total = count_in(gateway, "sessions", "total");
    const std::size_t unprotected =
        count_in(gateway, "sessions", "unprotected") + count_in(gateway, "sessions", "quarantined");
    if (total > 0 && gateway.value("standbys", json::array()).empty()) {
        return fmt::format("a failure now would lose all {} sessions, because no standby has them",
                           total);
    }
    if (unprotected > 0) {
        return fmt::format(
            "a failure now would lose {} of {} sessions; 'vpnha sessions' has the reason of each",
            unprotected, total);
    }
    return {};
}

// Of a standby.
std::string amiss_with_replica(const json& gateway) {
    if (const std::size_t quarantined = count_in(gateway, "records", "quarantined");
        quarantined > 0) {
        return fmt::format(
            "a takeover by this node would lose what {} records are for, which it cannot apply; "
            "'vpnha sessions' and the log of vpnhad have the reasons",
            quarantined);
    }
    const std::string standing = gateway.value("standing", "complete");
    if (standing == "complete") {
        return {};
    }
    std::string why;
    for (const json& blocker : gateway.value("blockers", json::array())) {
        why +=
            (why.empty() ? ": " : ", ") + (blocker.is_string() ? blocker.get<std::string>() : "");
    }
    return fmt::format("a takeover by this node would lose sessions, because its standing is {}{}",
                       standing, why);
}

std::string amiss(const Call& call) {
    const auto gateway = gateway_status(call);
    if (!gateway) {
        return "nothing is known of the sessions: " + gateway.error().detail;
    }
    const std::string role = gateway->value("role", "");
    if (role == "promoted" || role == "standing-in" || role == "draining") {
        return amiss_with_sessions(*gateway);
    }
    return role == "unpromoted" ? amiss_with_replica(*gateway) : std::string();
}

Outcome start(const Call& call) {
    std::error_code error;
    std::filesystem::create_directories(kLooks, error);
    if (error) {
        return ocf::outcome_of(system_error(fmt::format("creating {}", kLooks), error.value()));
    }
    const auto written = adapters::write_text(look_file(call), "");
    return written ? Outcome{} : ocf::outcome_of(written.error());
}

Outcome stop(const Call& call) {
    ::unlink(look_file(call).c_str());
    return {};
}

Outcome monitor(const Call& call) {
    const std::string file = look_file(call);
    if (::access(file.c_str(), F_OK) != 0) {
        return {Code::not_running};
    }
    std::string found = amiss(call);
    if (found != adapters::read_text(file)) {
        call.log(found.empty() ? Level::info : Level::warning,
                 found.empty() ? "a failure now would lose no session" : found);
        (void)adapters::write_text(file, found);
    }
    return found.empty() ? Outcome{} : Outcome{Code::degraded, std::move(found)};
}

Outcome nothing(const Call& /*call*/) {
    return {};
}

}  // namespace

const PppdMode& pppd_gateway() {
    static constexpr PppdMode kMode{
        .start = start, .stop = stop, .monitor = monitor, .reload = nothing, .validate = nothing};
    return kMode;
}

}  // namespace vpnha::agents
