// SPDX-License-Identifier: GPL-2.0-or-later
// ocf:vpnha:strongswan: one gateway's stock charon. A plain clone: it runs on every node, passive
// and behind the gate, and is fed by vpnhad; a takeover activates it and starts nothing.
#include "agents.hpp"
#include "protocols/ipsec/service/charon_service.hpp"
#include "stock.hpp"
#include "vpnhad.hpp"

namespace vpnha::agents {

namespace {

using adapters::StockService;
using ocf::Call;
using ocf::Outcome;

constexpr int kAnswersLevel = 10;

StockService service(const Call& call) {
    return {adapters::charon_kind(), call.parameter("gateway")};
}

adapters::CharonSettings settings(const Call& call) {
    return {.binary = call.parameter("binary"),
            .swanctl = call.parameter("swanctl"),
            .strongswan_conf = call.parameter("strongswan_conf"),
            .config = call.parameter("config"),
            .resource = call.instance()};
}

Outcome start(const Call& call) {
    return start_stock(call, service(call), [&call](const StockService& charon) {
        return adapters::plan_charon(charon, settings(call));
    });
}

Outcome stop(const Call& call) {
    return stop_stock(call, service(call));
}

Outcome monitor(const Call& call) {
    const auto depth = call.check_level() >= kAnswersLevel ? StockService::Depth::answers
                                                           : StockService::Depth::process;
    return monitor_stock(service(call), depth,
                         "charon has died or lost its fifo charon.ha; see the system log");
}

Outcome validate(const Call& call) {
    return in_network(call, [&call](const std::string&) {
        return outcome(adapters::check_charon(settings(call)));
    });
}

Outcome reload(const Call& call) {
    return reload_later(call, validate(call));
}

}  // namespace

const ocf::Agent& strongswan() {
    static const ocf::Agent kAgent{
        .name = "strongswan",
        .short_text = "Stock strongSwan of a vpnha gateway",
        .long_text =
            "Runs charon-systemd, passive, with the connections of swanctl.conf, on every node of "
            "the cluster, so that a takeover starts nothing: vpnhad feeds it with the SAs of the "
            "promoted node and activates it. Use it as a plain clone, and colocate the promoted "
            "instance of the gateway's checkpoint resource with it. A network namespace has one "
            "charon, so of several gateways with IPsec each has a 'netns' of its own; disable the "
            "unit strongswan.service. It is stopped without a message to its clients, and its ESP "
            "SAs are removed from the kernel. Where the gateway is served, a stop takes effect "
            "when another node serves: until then a healthy daemon keeps its sessions.",
        .parameters = {gateway_parameter(),
                       {.name = "config",
                        .default_value = "/etc/swanctl/swanctl.conf",
                        .reloadable = true,
                        .unique_group = "config",
                        .short_text = "swanctl.conf",
                        .long_text = "The connections, the same on all nodes: local_addrs = the "
                                     "VIPs, mobike set, unique = never."},
                       {.name = "strongswan_conf",
                        .default_value = VPNHA_STRONGSWAN_CONF,
                        .reloadable = true,
                        .short_text = "strongswan.conf",
                        .long_text = "What charon is started with, as vpnha installs it. It "
                                     "includes /etc/strongswan.conf, which is the place for "
                                     "settings of your own."},
                       vpnha_config_parameter(),
                       socket_parameter(),
                       {.name = "binary",
                        .default_value = "/usr/sbin/charon-systemd",
                        .reloadable = true,
                        .short_text = "charon-systemd",
                        .long_text = "The program. It needs no systemd."},
                       {.name = "swanctl",
                        .default_value = "/usr/sbin/swanctl",
                        .reloadable = true,
                        .short_text = "swanctl",
                        .long_text = "The program that loads the connections."}},
        .actions = {{.name = "start", .timeout_s = 20, .run = start},
                    {.name = "stop", .timeout_s = 20, .run = stop},
                    {.name = "reload-agent", .timeout_s = 20, .run = reload},
                    {.name = "monitor", .timeout_s = 20, .interval_s = 2, .run = monitor},
                    {.name = "monitor",
                     .timeout_s = 20,
                     .interval_s = 10,
                     .depth = kAnswersLevel,
                     .run = monitor}},
        .validate = validate};
    return kAgent;
}

}  // namespace vpnha::agents
