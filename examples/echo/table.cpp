// SPDX-License-Identifier: GPL-2.0-or-later
#include "echo/table.hpp"

#include <fmt/format.h>

#include "config/key_text.hpp"
#include "protocols/tables.hpp"

namespace vpnha::echo {

using config::Kind;
using wire::Weight;

constexpr config::Protocol Table::kProtocol = config::protocol_of<Table>(
    "echo",
    "UDP requests to the gateway's first address outside, each answered with a number that nobody "
    "uses twice. The table may be empty; without it the gateway serves no echo.");

std::vector<config::Key> Table::keys() {
    return {
        {kProtocol.section, "port", Kind::number, 1, 65'535, "7007", "7007",
         "UDP port that clients ask.", Weight::session, config::at<&Table::port>()},
        {kProtocol.section, "answers_per_second", Kind::number, 1, kAnswersPerSecondMax, "2000",
         "2000", "Answers that a session gets in a second, at most.", Weight::note,
         config::at<&Table::answers_per_second>()},
    };
}

config::Facts Table::facts() const {
    using config::GateRule;
    // Who opens a session sends an O (backend/responder.hpp).
    const GateRule open{GateRule::Kind::begins,
                        GateRule::Transport::udp,
                        port,
                        {{GateRule::kUdpPayload, 0xff00'0000, 'O' << 24}}};
    return {.title = "echo", .daemon = "echod", .gate_rules = {open}};
}

void Table::check(const config::Gateway& gateway, const config::Config& /*config*/,
                  config::Errors& errors) {
    const std::uint16_t port = gateway.protocols.get<Table>()->port;
    if (gateway.protocols.tunnel_port() == port) {
        errors.add(kProtocol.section, gateway.name, "port",
                   fmt::format("{} is the port of the gateway's tunnels; give another one", port));
    }
}

tuning::Table Table::tuning_rows() {
    return {{.name = "net.core.rmem_default",
             .wanted = tuning::Minimum{212'992},
             .need = "echo",
             .how = tuning::kByKernel,
             .why = "the requests of all sessions of a gateway wait in one socket",
             .after = "net.netfilter.nf_conntrack_udp_timeout"}};
}

std::vector<MetricRow> Table::metric_rows() {
    return {{"vpnha_echo_sessions",
             "Sessions of echo among the records.",
             true,
             "",
             {{"", "/echo/sessions"}},
             {},
             "vpnha_unanswered_total"},
            {"vpnha_echo_answers_total",
             "Requests of echo that this node has answered.",
             false,
             "",
             {{"", "/counters/echo_answers"}}}};
}

ProtocolTable protocol_table() {
    return protocol_table_of<Table>();
}

}  // namespace vpnha::echo
