// SPDX-License-Identifier: GPL-2.0-or-later
// ocf:vpnha:announce: a routing daemon announces prefixes from the node that serves a gateway. A
// plain clone: announce-prefixes, which it starts on each node, follows the gate (announce_prefixes
// .cpp), so the prefixes go where the lease goes, before Pacemaker has moved anything.
//
// The monitor fails for nothing: it starts a program that has died again. Until then the kernel has
// taken the prefixes away, and the gateway serves on for clients that reach it in another way.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>

#include "agents.hpp"
#include "announce/announce_settings.hpp"
#include "host/addresses/announced_prefixes.hpp"
#include "host/os/lock_file.hpp"
#include "host/os/network_descriptor.hpp"
#include "host/os/text_file.hpp"
#include "host/services/detached_program.hpp"
#include "vpnhad.hpp"

namespace vpnha::agents {

namespace {

using ocf::Call;
using ocf::Code;
using ocf::Level;
using ocf::Outcome;

constexpr const char* kRunRoot = "/run/vpnha/announce/";

std::string directory_of(const Call& call) {
    return kRunRoot + call.instance();
}

adapters::DetachedProgram program_of(const Call& call) {
    return adapters::DetachedProgram(directory_of(call) + "/program");
}

std::optional<AnnounceSettings> read_started(const Call& call) {
    return AnnounceSettings::of_text(adapters::read_text(directory_of(call) + kAnnounceStarted));
}

Result<bool> ensure_program(const Call& call) {
    const std::string directory = directory_of(call);
    return program_of(call).ensure({.arguments = {VPNHA_ANNOUNCE_PREFIXES_PROGRAM, directory},
                                    .error_file = directory + "/errors"});
}

// Here, as opposed to on each node.
Outcome check(const AnnounceSettings& settings) {
    if (!settings.command.empty() && ::access(settings.command.front().c_str(), X_OK) != 0) {
        return {Code::installed, settings.command.front() + " cannot be executed; install it"};
    }
    if (settings.prefixes.empty()) {
        return {};
    }
    const auto checked = adapters::RouteNetlink::open().and_then([&](adapters::RouteNetlink route) {
        return adapters::AnnouncedPrefixes::check(route, settings.interface);
    });
    return checked ? Outcome{} : ocf::outcome_of(checked.error());
}

Outcome validate(const Call& call) {
    const auto settings = announce_settings(call);
    if (!settings) {
        return {Code::configured, settings.error().detail};
    }
    return in_network(call, [&](const std::string&) { return check(*settings); });
}

Result<void> take_down(const Call& call, const AnnounceSettings& started) {
    // First: it would lend them again.
    VPNHA_CHECK(program_of(call).end());
    VPNHA_TRY(adapters::RouteNetlink route, adapters::RouteNetlink::open());
    VPNHA_CHECK(adapters::AnnouncedPrefixes(std::move(route), started.interface, started.prefixes)
                    .withdraw());
    ::unlink((directory_of(call) + kAnnounceStarted).c_str());
    return {};
}

Result<void> bring_up(const Call& call, const AnnounceSettings& settings) {
    const auto started = read_started(call);
    if (started && *started != settings) {
        VPNHA_CHECK(take_down(call, *started));
    }
    VPNHA_CHECK(adapters::replace_text(directory_of(call) + kAnnounceStarted, settings.text()));
    VPNHA_CHECK(ensure_program(call));
    return {};
}

Outcome start(const Call& call) {
    if (Outcome outcome = validate(call); outcome.code != Code::success) {
        return outcome;
    }
    const auto settings = announce_settings(call);
    return in_network(call, [&](const std::string&) -> Outcome {
        const auto done =
            adapters::lock_directory(directory_of(call), LOCK_EX)
                .and_then([&](const adapters::UniqueFd&) { return bring_up(call, *settings); });
        return done ? Outcome{} : ocf::outcome_of(done.error());
    });
}

Outcome stop(const Call& call) {
    const auto started = read_started(call);
    if (!started) {
        return {};
    }
    // A namespace that is gone took its devices along, and the kernel takes the rest away.
    const auto network = netns_of(call)
                             .and_then(adapters::NetworkNamespace::open)
                             .value_or(adapters::NetworkNamespace());
    const adapters::InNetwork within(network);
    const auto done =
        adapters::lock_directory(directory_of(call), LOCK_EX)
            .and_then([&](const adapters::UniqueFd&) { return take_down(call, *started); });
    return done ? Outcome{} : ocf::outcome_of(done.error());
}

// Nobody announces.
Outcome without_speaker(const std::string& speaker) {
    return {
        Code::degraded,
        fmt::format("{} does not run on this node, so nothing is announced; start it", speaker)};
}

Outcome monitor(const Call& call) {
    const auto started = read_started(call);
    if (!started) {
        return {Code::not_running};
    }
    if (call.is_probe()) {
        return {};
    }
    return in_network(call, [&](const std::string&) -> Outcome {
        const auto held = adapters::lock_directory(directory_of(call), LOCK_EX);
        const auto was_dead = ensure_program(call);
        if (!was_dead) {
            return {Code::degraded, was_dead.error().detail};
        }
        if (*was_dead) {
            call.log(Level::warning, "announce-prefixes had died, and was started again: " +
                                         adapters::last_line(directory_of(call) + "/errors"));
        }
        const std::string trouble = adapters::read_text(directory_of(call) + kAnnounceTrouble);
        if (!trouble.empty()) {
            return {Code::degraded, trouble};
        }
        const std::string speaker = call.parameter("speaker");
        const bool is_needed = speaker != "none" && !started->prefixes.empty();
        return is_needed && adapters::processes_here(speaker).empty() ? without_speaker(speaker)
                                                                      : Outcome{};
    });
}

}  // namespace

const ocf::Agent& announce() {
    static const ocf::Agent kAgent{
        .name = "announce",
        .short_text = "Routes that are announced from the node that serves a gateway",
        .long_text =
            "Has a routing daemon of the node, as FRR's bgpd, announce VIPs and customers' "
            "prefixes from the node that serves a vpnha gateway, and from no other. Use it as a "
            "plain clone (cib-templates/announce.crm). While the gate of the gateway is open "
            "here, the prefixes are addresses of a device in a VRF, and the daemon announces what "
            "is connected there (docs/use/announce.md). They go 0.1 s after the gate was shut. The "
            "kernel itself takes them away 2 to 3 s after the program that follows the gate has "
            "died or hangs. A node that serves before Pacemaker has promoted it announces at once. "
            "The monitor never fails; it is degraded (190) where something keeps the prefixes from "
            "being announced. A command, as one that moves an address by the API of a cloud, can "
            "be run as well.",
        .parameters = {gateway_parameter(),
                       {.name = "prefixes",
                        .short_text = "Prefixes",
                        .long_text = "With blanks between: 203.0.113.9/32 10.8.0.0/24 "
                                     "2001:db8:8::/48. At most 64. Without them only the command "
                                     "is run."},
                       {.name = "interface",
                        .default_value = "announce0",
                        .unique_group = "interface",
                        .short_text = "Interface",
                        .long_text = "The device that gets the prefixes, in a VRF; a dummy device "
                                     "of the node that has nothing else. It has to be there before "
                                     "the start."},
                       {.name = "speaker",
                        .default_value = "bgpd",
                        .reloadable = true,
                        .short_text = "Routing daemon",
                        .long_text = "The file name of its program: where it does not run, the "
                                     "monitor is degraded. none: nobody looks."},
                       {.name = "command",
                        .short_text = "Command",
                        .long_text = "An absolute path. While the gateway is served here it is run "
                                     "at once, 2 s after each failure and 30 s after each success, "
                                     "with the gateway's name and the prefixes as arguments. It "
                                     "is killed after 20 s, and as soon as the gateway is not "
                                     "served here any more. What it has done already is to be no "
                                     "error."},
                       vpnha_config_parameter()},
        .actions = {{.name = "start", .timeout_s = 20, .run = start},
                    {.name = "stop", .timeout_s = 20, .run = stop},
                    {.name = "reload-agent", .timeout_s = 20, .run = validate},
                    {.name = "monitor", .timeout_s = 20, .interval_s = 5, .run = monitor}},
        .validate = validate};
    return kAgent;
}

}  // namespace vpnha::agents
