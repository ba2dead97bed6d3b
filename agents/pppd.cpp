// SPDX-License-Identifier: GPL-2.0-or-later
// ocf:vpnha:pppd: PPP as Pacemaker sees it: an outgoing link, or the sessions of a gateway.
#include "pppd.hpp"

#include "agents.hpp"
#include "protocols/ppp/service/ppp_link_settings.hpp"
#include "vpnhad.hpp"

namespace vpnha::agents {

namespace {

using ocf::Call;
using ocf::Code;
using ocf::Outcome;

Outcome in_mode(const Call& call, Outcome (*PppdMode::*action)(const Call&)) {
    const std::string mode = call.parameter("mode");
    if (mode == "link") {
        return (pppd_link().*action)(call);
    }
    if (mode == "gateway") {
        return (pppd_gateway().*action)(call);
    }
    // Nothing can have been started so, and a failed stop fences the node.
    return call.action() == "stop" ? Outcome{}
                                   : Outcome{Code::configured, "parameter mode: '" + mode +
                                                                   "' is neither link nor gateway"};
}

Outcome start(const Call& call) {
    return in_mode(call, &PppdMode::start);
}

Outcome stop(const Call& call) {
    return in_mode(call, &PppdMode::stop);
}

Outcome monitor(const Call& call) {
    return in_mode(call, &PppdMode::monitor);
}

Outcome reload(const Call& call) {
    return in_mode(call, &PppdMode::reload);
}

Outcome validate(const Call& call) {
    return in_mode(call, &PppdMode::validate);
}

}  // namespace

const ocf::Agent& pppd() {
    static const ocf::Agent kAgent{
        .name = "pppd",
        .short_text = "An outgoing L2TP or PPTP link, or a look at a gateway's sessions",
        .long_text =
            "mode=link: one outgoing link of L2TP or PPTP to another site, dialled by stock pppd "
            "with pptp, or by stock xl2tpd, on one node; no clone. It is redialled for as long as "
            "it is down, each 5 s, and its routes are there whenever it is up. The start returns "
            "when it is up. A monitor returns 0 while it is up, 190 (degraded) while it is being "
            "redialled, and 1 after redial_limit. There is no gate around it: fencing alone keeps "
            "two nodes from dialling at once. "
            "mode=gateway: a clone beside the gateway's checkpoint resource. Its monitor asks "
            "vpnhad whether a failure now would lose sessions, and returns 190 (degraded) with the "
            "reason, or 0. It never fails, so it moves nothing.",
        .parameters =
            {{.name = "mode",
              .required = true,
              .short_text = "Mode",
              .long_text = "link or gateway. All other parameters but gateway and socket are for "
                           "link, which needs protocol, peer, user and secret_file."},
             {.name = "protocol",
              .short_text = "Protocol of the link",
              .long_text = "l2tp or pptp. The one wants the package xl2tpd, the other one "
                           "pptp-linux. L2TP is not encrypted by itself: put IPsec around it."},
             {.name = "peer",
              .short_text = "Whom to dial",
              .long_text = "IPv4 address or name of the other site's server."},
             {.name = "user",
              .short_text = "User",
              .long_text = "The name by which this site logs in."},
             {.name = "secret_file",
              .short_text = "File with the password",
              .long_text = "A file of pppd's options, on every node, that only root may read. It "
                           "has one line: password \"THE PASSWORD\""},
             {.name = "interface",
              .default_value = adapters::kPppLinkInterface,
              .unique_group = "interface",
              .short_text = "Interface",
              .long_text = "The name that the link's interface gets."},
             {.name = "routes",
              .reloadable = true,
              .short_text = "Nets of the other site",
              .long_text = "IPv4, with blanks between: 10.1.0.0/16 10.2.0.0/16. They are routed "
                           "through the link whenever it is up. At most 64."},
             {.name = "mppe",
              .short_text = "Encryption by MPPE",
              .long_text = "require: with 128 bits, and keys of MS-CHAPv2. refuse: none. Without "
                           "it: require with pptp, refuse with l2tp."},
             {.name = "mtu",
              .type = "integer",
              .default_value = adapters::kPppLinkMtu,
              .short_text = "MTU",
              .long_text = "Of the interface, and the MRU that the peer receives. 576 to 1500."},
             {.name = "local_port",
              .type = "integer",
              .default_value = adapters::kPppLinkPort,
              .short_text = "Own port of L2TP",
              .long_text =
                  "UDP. Two links of L2TP that may be on one node want two ports, and a "
                  "node with an xl2tpd of its own on all addresses another one than that."},
             {.name = "options_file",
              .short_text = "More options of pppd",
              .long_text = "A file of them on every node. Where it and this agent name the same "
                           "option, the agent's counts."},
             {.name = "redial_limit",
              .type = "integer",
              .default_value = kPppdRedialLimit,
              .reloadable = true,
              .short_text = "Longest time without the link",
              .long_text = "In seconds. A monitor that finds the link down for longer fails, and "
                           "Pacemaker tries another node. 0: it is redialled here for ever."},
             {.name = "gateway",
              .short_text = "Gateway",
              .long_text = "mode=gateway: its name in vpnha.toml. May be left out when the file "
                           "has only one."},
             {.name = "socket",
              .default_value = kControlSocketPath,
              .short_text = "Control socket",
              .long_text = "Where vpnhad listens, as in its configuration. A link needs none; but "
                           "one that knows the node's present boot to be fenced records that in a "
                           "file beside it, and then nothing starts."}},
        .actions = {{.name = "start", .timeout_s = 60, .run = start},
                    {.name = "stop", .timeout_s = 30, .run = stop},
                    {.name = "monitor", .timeout_s = 20, .interval_s = 10, .run = monitor},
                    {.name = "reload-agent", .timeout_s = 20, .run = reload}},
        .validate = validate};
    return kAgent;
}

}  // namespace vpnha::agents
