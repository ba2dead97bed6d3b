// SPDX-License-Identifier: GPL-2.0-or-later
// ocf:vpnha:vip: addresses that one node of the cluster has, for gateways without sessions to keep
// and for additional addresses of others. Works without vpnhad.
#include "agents.hpp"
#include "host/vip/vip_service.hpp"
#include "vpnhad.hpp"

namespace vpnha::agents {

namespace {

using adapters::VipParameters;
using adapters::VipService;
using ocf::Call;
using ocf::Code;
using ocf::Outcome;

constexpr int kDeepLevel = 10;

Outcome outcome_of(const Error& error) {
    // What does not parse here parses nowhere.
    return error.code == Errc::invalid_config ? Outcome{Code::configured, error.detail}
                                              : ocf::outcome_of(error);
}

Outcome outcome(const Result<void>& result) {
    return result ? Outcome{} : outcome_of(result.error());
}

VipService service(const Call& call) {
    return {call.instance(), VPNHA_ANNOUNCE_PROGRAM};
}

VipParameters parameters(const Call& call) {
    return {.addresses = call.parameter("addresses"),
            .interface = call.parameter("interface"),
            .vlan = call.parameter("vlan"),
            .table = call.parameter("table"),
            .rule_mark = call.parameter("rule_mark"),
            .rule_preference = call.parameter("rule_preference"),
            .default_via = call.parameter("default_via"),
            .rp_filter = call.parameter("rp_filter"),
            .probe_ms = call.parameter("probe_ms")};
}

Outcome start(const Call& call) {
    // Without a vpnhad there is no such file.
    if (Outcome outcome = refused_if_fenced(call); outcome.code != Code::success) {
        return outcome;
    }
    return outcome(service(call).start(parameters(call)));
}

Outcome stop(const Call& call) {
    return outcome(service(call).stop(parameters(call)));
}

Outcome monitor(const Call& call) {
    const auto depth = call.check_level() >= kDeepLevel ? VipService::Depth::neighbours
                                                        : VipService::Depth::kernel;
    const auto state = service(call).status(parameters(call), depth);
    if (!state) {
        return outcome_of(state.error());
    }
    return {*state == VipService::State::running ? Code::success : Code::not_running};
}

Outcome validate(const Call& call) {
    return outcome(adapters::parse_vip_parameters(parameters(call)).and_then(&VipService::check));
}

}  // namespace

const ocf::Agent& vip() {
    static const ocf::Agent kAgent{
        .name = "vip",
        .short_text = "Addresses with announcements and a look for duplicates",
        .long_text =
            "IPv4 and IPv6 addresses of one interface, which one node of the cluster has at a "
            "time. Before they are taken, the neighbours are asked whether somebody else has one; "
            "then it is a failure that names his MAC. They are announced at 0, 0.1, 1, 3 and 10 s "
            "after the start and after each return of the link, at most three times a second. For "
            "both sides of a gateway use two resources. Two nodes are kept from having the "
            "addresses at once by fencing alone: there is no lease and no gate around them. A "
            "station that can send a frame on the link can forge the answer of another holder, and "
            "so make each start fail: it cannot know a lie from a duplicate. Where that is a "
            "danger, keep such senders off the link (port security), or set probe_ms to 0.",
        .parameters = {{.name = "addresses",
                        .required = true,
                        .unique_group = "addresses",
                        .short_text = "Addresses",
                        .long_text = "With their prefix lengths, and blanks between: "
                                     "192.0.2.9/24 2001:db8::9/64. At most 64."},
                       {.name = "interface",
                        .required = true,
                        .short_text = "Interface",
                        .long_text = "The device that gets the addresses; with vlan, the one below "
                                     "it."},
                       {.name = "vlan",
                        .type = "integer",
                        .short_text = "VLAN",
                        .long_text = "The addresses go to the device INTERFACE.VLAN. When there is "
                                     "none it is created, and deleted at the stop unless it has "
                                     "other addresses then. 1 to 4094."},
                       {.name = "table",
                        .type = "integer",
                        .short_text = "Routing table",
                        .long_text = "Packets from the addresses are routed by this table. Not 253 "
                                     "to 255, which are the kernel's own."},
                       {.name = "rule_mark",
                        .short_text = "Mark",
                        .long_text = "Packets with this firewall mark are routed by the table, "
                                     "instead of those from the addresses. Decimal, or "
                                     "hexadecimal with 0x."},
                       {.name = "rule_preference",
                        .type = "integer",
                        .default_value = adapters::kVipRulePreference,
                        .short_text = "Preference of the policy rules",
                        .long_text = "1 to 32765."},
                       {.name = "default_via",
                        .short_text = "Routers",
                        .long_text = "One for each family at most: the default routes of the "
                                     "table, which then also gets the addresses' own networks. "
                                     "Without it the table's routes are yours."},
                       {.name = "rp_filter",
                        .default_value = "keep",
                        .short_text = "Reverse path filter",
                        .long_text = "loose or strict: set for the interface, and restored at the "
                                     "stop; where conf.all differs, loose counts before strict "
                                     "before off. keep: left as it is."},
                       {.name = "probe_ms",
                        .type = "integer",
                        .default_value = adapters::kVipProbeMs,
                        .short_text = "Wait for duplicates",
                        .long_text = "How long a start waits for the answer of somebody who has an "
                                     "address already, in milliseconds; it is part of each "
                                     "takeover. At most 10000; 0: nobody is asked."},
                       {.name = "socket",
                        .default_value = kControlSocketPath,
                        .short_text = "Control socket",
                        .long_text = "Where a vpnhad of this node listens, as in its "
                                     "configuration. None is needed; but one that knows the node's "
                                     "present boot to be fenced records that in a file beside it, "
                                     "and then nothing starts."}},
        .actions = {{.name = "start", .timeout_s = 20, .run = start},
                    {.name = "stop", .timeout_s = 20, .run = stop},
                    {.name = "monitor", .timeout_s = 20, .interval_s = 10, .run = monitor},
                    {.name = "monitor",
                     .timeout_s = 20,
                     .interval_s = 60,
                     .depth = kDeepLevel,
                     .run = monitor}},
        .validate = validate};
    return kAgent;
}

}  // namespace vpnha::agents
