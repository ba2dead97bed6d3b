// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/table.hpp"

#include "config/key_text.hpp"
#include "protocols/tables.hpp"

namespace vpnha::pptp {

using config::GateRule;
using config::Key;
using config::Kind;
using config::Protocol;
using wire::Weight;

constexpr Protocol Table::kProtocol = config::protocol_of<Table>(
    "pptp",
    "The gateway's PPTP service, by the stock pptpd. The table may be empty; without it the "
    "gateway serves no PPTP, and the gate leaves TCP port 1723 of its addresses alone.");

namespace {

constexpr std::uint16_t kControlPort = 1723;  // RFC 2637 2.1.

}  // namespace

std::vector<Key> Table::keys() {
    return {
        {kProtocol.section, "secrets", Kind::paths, 0, config::kSecretFilesMax,
         "[\"/etc/ppp/chap-secrets\"]", "[\"/etc/ppp/chap-secrets\"]",
         "pppd's files of users and passwords, compared between the nodes as those of L2TP.",
         Weight::note, config::at<&Table::secrets>()},
        {kProtocol.section, "ppp_options", Kind::path, 2, config::kFilePathBytesMax,
         "\"/etc/ppp/pptpd-options\"", "\"/etc/ppp/pptpd-options\"",
         "pppd's options, pptpd's 'option'. Compared between the nodes in the same way; the order "
         "of lines counts.",
         Weight::note, config::at<&Table::ppp_options>()},
    };
}

config::Facts Table::facts() const {
    // A SYN without ACK (RFC 9293 3.1), of a control connection, whose end hangs its client up.
    const GateRule dial{GateRule::Kind::begins,
                        GateRule::Transport::tcp,
                        kControlPort,
                        {{12, 0x0012'0000, 0x0002'0000}}};
    const GateRule end{GateRule::Kind::ends, GateRule::Transport::tcp, kControlPort};
    return {.title = "PPTP",
            .daemon = "pptpd",
            .ppp_options = ppp_options,
            .tasks_per_client = 2,  // pppd and pptpctrl.
            .files = config::pppd_files(secrets, ppp_options),
            .gate_rules = {dial, end}};
}

tuning::Table Table::tuning_rows() {
    return {
        {.name = "net.ipv4.tcp_syncookies",
         .wanted = tuning::Either{1, 2},
         .need = "pptp",
         .how = tuning::kByKernel,
         .why = "pptpd 1.4.0 listens with a queue of 3, and beyond it a dial is dropped without "
                "cookies",
         .after = "net.ipv4.ip_local_port_range"},
        {.name = "net.ipv4.tcp_max_syn_backlog",
         .wanted = tuning::Minimum{128},
         .need = "pptp",
         .how = tuning::kByKernel,
         .why = "it counts where cookies are off only; pptpd's queue of 3 is narrower",
         .after = "net.ipv4.tcp_syncookies"},
        {.name = "module tun",
         .wanted = tuning::Other{tuning::kModuleWanted, &tuning::judge_module},
         .weight = tuning::Weight::must,
         .need = "pptp",
         .how = tuning::kModuleHow,
         .why = "a call that is taken over uses a TUN device; GRE needs no module, it passes raw "
                "sockets",
         .module = "tun",
         .after = "module ppp_generic"},
        {.name = "module ppp_mppe",
         .wanted = tuning::Other{tuning::kModuleWanted, &tuning::judge_module},
         .need = "pptp",
         .how = tuning::kModuleHow,
         .why = "pppd hangs up each client that wants MPPE, or that it wants MPPE of, without it",
         .module = "ppp_mppe",
         .after = "module tun"},
    };
}

// clang-format off
std::vector<MetricRow> Table::metric_rows() {
    return {
        {"vpnha_pptp_packets_dropped_total",
         "Packets of resumed PPTP calls that were ignored; in_clear: without their "
         "MPPE.",
         false, "reason", {{"malformed", "/counters/pptp_malformed"},
                           {"duplicate", "/counters/pptp_duplicates"},
                           {"in_clear", "/counters/pptp_in_clear"}},
         {}, "vpnha_lease_datagrams_dropped_total"},
        {"vpnha_pptp_resets_total",
         "Clients of resumed PPTP calls that did not take an index of MPPE.",
         false, "", {{"", "/counters/pptp_resets"}}},
        {"vpnha_pptp_packets_unwatched_total",
         "Packets of PPTP calls that the capture had no room for.",
         false, "", {{"", "/counters/pptp_unwatched"}}},
        {"vpnha_pptp_connections_evicted_total",
         "Control connections of PPTP without a call that were dropped, because there was no room.",
         false, "", {{"", "/counters/pptp_evicted"}}},
        {"vpnha_gre_packets_total",
         "GRE packets of clients of PPTP that passed while this node served, by their numbers.",
         true, "direction", {{"in", "/counters/pptp_gre_in"}, {"out", "/counters/pptp_gre_out"}}},
    };
}
// clang-format on

std::vector<tuning::ProgramVersion> Table::program_versions() {
    return {{"pptpd", "pptpd", "1.4.0-12",
             "CVE-2003-0213: a length below the header's (before 1.1.4)"}};
}

ProtocolTable protocol_table() {
    return protocol_table_of<Table>();
}

}  // namespace vpnha::pptp
