// SPDX-License-Identifier: GPL-2.0-or-later
// ocf:vpnha:pptpd: one gateway's stock pptpd. A plain clone: it runs on every node, behind the
// gate, so that nothing has to start when the gateway comes.
#include "agents.hpp"
#include "protocols/pptp/service/pptpd_service.hpp"
#include "stock.hpp"
#include "vpnhad.hpp"

namespace vpnha::agents {

namespace {

using adapters::StockService;
using ocf::Call;
using ocf::Outcome;

constexpr int kCallLevel = 10;

StockService service(const Call& call) {
    return {adapters::pptpd_kind(), call.parameter("gateway")};
}

adapters::PptpdSettings settings(const Call& call) {
    return {.launcher = VPNHA_START_PPTPD_PROGRAM,
            .config = call.parameter("config"),
            .call_id_offset = call.parameter("call_id_offset"),
            .resource = call.instance()};
}

Outcome start(const Call& call) {
    return start_stock(call, service(call), [&call](const StockService& pptpd) {
        return adapters::plan_pptpd(pptpd, settings(call));
    });
}

Outcome stop(const Call& call) {
    return stop_stock(call, service(call));
}

Outcome monitor(const Call& call) {
    const auto depth = call.check_level() >= kCallLevel ? StockService::Depth::answers
                                                        : StockService::Depth::process;
    return monitor_stock(service(call), depth,
                         "pptpd has died or does not listen; see the system log");
}

Outcome validate(const Call& call) {
    return in_network(call, [&call](const std::string&) {
        return outcome(adapters::check_pptpd(settings(call)));
    });
}

Outcome reload(const Call& call) {
    return reload_later(call, validate(call));
}

}  // namespace

const ocf::Agent& pptpd() {
    static const ocf::Agent kAgent{
        .name = "pptpd",
        .short_text = "Stock pptpd of a vpnha gateway",
        .long_text =
            "Runs one gateway's pptpd, idle, on every node of the cluster, so that a takeover "
            "starts nothing. Use it as a plain clone, and colocate the promoted instance of the "
            "gateway's checkpoint resource with it. The daemon listens on the gateway's VIP "
            "wherever that is (net.ipv4.ip_nonlocal_bind must be 1). Disable the unit "
            "pptpd.service. pptpd runs in a mount namespace of its own, in which a program of "
            "vpnha stands before pptpctrl and keeps the call ids of the nodes apart. It is ended "
            "by SIGKILL, and its connections are destroyed behind the gate, so that clients do not "
            "notice it. Where the gateway is served, a stop takes effect when another node serves: "
            "until then a healthy daemon keeps its sessions. A monitor with OCF_CHECK_LEVEL 10 "
            "makes a call where the gateway is: a control connection, a pppd and GRE there and "
            "back, over the loopback device. It ends before a name is asked for, and is left out "
            "while each slot of pptpd has a client.",
        .parameters = {gateway_parameter(),
                       {.name = "config",
                        .default_value = "/etc/pptpd.conf",
                        .reloadable = true,
                        .unique_group = "config",
                        .short_text = "pptpd.conf",
                        .long_text = "The daemon's configuration. Its 'listen' is the VIP, and its "
                                     "'option' names a file; 'remoteip' is another range on each "
                                     "node."},
                       {.name = "call_id_offset",
                        .reloadable = true,
                        .short_text = "Offset of the node's call ids",
                        .long_text = "Added to the call ids of this node: a multiple of 8 below "
                                     "128, another on each node. Without it, 8 times the node's id "
                                     "in corosync.conf, modulo 128: set it, by a rule for each "
                                     "node, where that is the same for two nodes."},
                       vpnha_config_parameter(),
                       socket_parameter()},
        .actions = {{.name = "start", .timeout_s = 20, .run = start},
                    {.name = "stop", .timeout_s = 20, .run = stop},
                    {.name = "reload-agent", .timeout_s = 20, .run = reload},
                    {.name = "monitor", .timeout_s = 20, .interval_s = 10, .run = monitor},
                    {.name = "monitor",
                     .timeout_s = 20,
                     .interval_s = 60,
                     .depth = kCallLevel,
                     .run = monitor}},
        .validate = validate};
    return kAgent;
}

}  // namespace vpnha::agents
