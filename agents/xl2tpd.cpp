// SPDX-License-Identifier: GPL-2.0-or-later
// ocf:vpnha:xl2tpd: one gateway's stock xl2tpd. A plain clone: it runs on every node, behind the
// gate, so that nothing has to start when the gateway comes.
#include "agents.hpp"
#include "protocols/l2tp/service/xl2tpd_service.hpp"
#include "stock.hpp"
#include "vpnhad.hpp"

namespace vpnha::agents {

namespace {

using adapters::StockService;
using ocf::Call;
using ocf::Outcome;

StockService service(const Call& call) {
    return {adapters::xl2tpd_kind(), call.parameter("gateway")};
}

adapters::Xl2tpdSettings settings(const Call& call) {
    return {.binary = call.parameter("binary"),
            .config = call.parameter("config"),
            .options_file = call.parameter("options_file"),
            .resource = call.instance(),
            .memory_max = call.parameter("memory_max")};
}

Outcome start(const Call& call) {
    return start_stock(call, service(call), [&call](const StockService& xl2tpd) {
        return adapters::plan_xl2tpd(xl2tpd, settings(call));
    });
}

Outcome stop(const Call& call) {
    return stop_stock(call, service(call));
}

Outcome monitor(const Call& call) {
    return monitor_stock(service(call), StockService::Depth::answers,
                         "xl2tpd has died or lost its control pipe; see the system log");
}

Outcome validate(const Call& call) {
    return in_network(call, [&call](const std::string&) {
        return outcome(adapters::check_xl2tpd(settings(call)));
    });
}

Outcome reload(const Call& call) {
    return reload_later(call, validate(call));
}

}  // namespace

const ocf::Agent& xl2tpd() {
    static const ocf::Agent kAgent{
        .name = "xl2tpd",
        .short_text = "Stock xl2tpd of a vpnha gateway",
        .long_text =
            "Runs one gateway's xl2tpd, idle, on every node of the cluster, so that a takeover "
            "starts nothing. Use it as a plain clone, and colocate the promoted instance of the "
            "gateway's checkpoint resource with it. The daemon listens on the gateway's VIP "
            "wherever that is (net.ipv4.ip_nonlocal_bind must be 1). It is ended by SIGKILL with "
            "its port muted, so that clients do not notice it. Where the gateway is served, a stop "
            "takes effect when another node serves: until then a healthy daemon keeps its "
            "sessions.",
        .parameters = {gateway_parameter(),
                       {.name = "config",
                        .default_value = "/etc/xl2tpd/xl2tpd.conf",
                        .reloadable = true,
                        .unique_group = "config",
                        .short_text = "xl2tpd.conf",
                        .long_text = "The daemon's configuration. Its listen-addr is the VIP."},
                       {.name = "options_file",
                        .reloadable = true,
                        .unique_group = "options_file",
                        .short_text = "Options file of pppd",
                        .long_text = "The file that this daemon's pppds are started with; no other "
                                     "daemon may use it. Without it, every pppoptfile of the "
                                     "configuration is taken."},
                       {.name = "memory_max",
                        .type = "integer",
                        .default_value = "512",
                        .reloadable = true,
                        .short_text = "Memory of xl2tpd, MiB",
                        .long_text = "The kernel gives it no more (RLIMIT_DATA, of each of its "
                                     "pppds as well), and the monitor fails above three quarters, "
                                     "so that it is started anew before it or the node suffers. "
                                     "A session takes 10 KiB."},
                       vpnha_config_parameter(),
                       socket_parameter(),
                       {.name = "binary",
                        .default_value = "/usr/sbin/xl2tpd",
                        .reloadable = true,
                        .short_text = "xl2tpd",
                        .long_text = "The program."}},
        .actions = {{.name = "start", .timeout_s = 20, .run = start},
                    {.name = "stop", .timeout_s = 20, .run = stop},
                    {.name = "reload-agent", .timeout_s = 20, .run = reload},
                    {.name = "monitor", .timeout_s = 20, .interval_s = 10, .run = monitor}},
        .validate = validate};
    return kAgent;
}

}  // namespace vpnha::agents
