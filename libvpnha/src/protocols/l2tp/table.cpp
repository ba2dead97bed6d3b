// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/table.hpp"

#include <fmt/format.h>

#include "config/key_text.hpp"
#include "protocols/tables.hpp"

namespace vpnha::l2tp {

using config::GateRule;
using config::Key;
using config::Kind;
using config::Protocol;
using wire::Weight;

constexpr Protocol Table::kProtocol = config::protocol_of<Table>(
    "l2tp",
    "The gateway's L2TP service, next to the stock xl2tpd. The table may be empty; without it the "
    "gateway serves no L2TP.");

std::vector<Key> Table::keys() {
    return {
        {kProtocol.section, "port", Kind::number, 1, 65'535, "1701", "1701",
         "UDP port that clients dial; xl2tpd's port.", Weight::session, config::at<&Table::port>()},
        {kProtocol.section, "hello_interval", Kind::duration, 1'000, 3'600'000, "\"60s\"",
         "\"60s\"", "Silence of a resumed tunnel after which a HELLO is sent.", Weight::note,
         config::at<&Table::hello_interval>()},
        {kProtocol.section, "secrets", Kind::paths, 0, config::kSecretFilesMax,
         "[\"/etc/ppp/chap-secrets\", \"/etc/ppp/pap-secrets\"]",
         "[\"/etc/ppp/chap-secrets\", \"/etc/ppp/pap-secrets\"]",
         "pppd's files of users and passwords. Compared between the nodes by keyed hashes: where "
         "they differ, users cannot dial in after a failover. The order of lines and comments do "
         "not count.",
         Weight::note, config::at<&Table::secrets>()},
        {kProtocol.section, "ppp_options", Kind::path, 2, config::kFilePathBytesMax,
         "\"/etc/ppp/options.xl2tpd\"", "\"/etc/ppp/options.xl2tpd\"",
         "pppd's options, xl2tpd's 'pppoptfile'. Compared between the nodes in the same way; the "
         "order of lines counts.",
         Weight::note, config::at<&Table::ppp_options>()},
    };
}

config::Facts Table::facts() const {
    // A control message without a tunnel (RFC 2661 3.1): an SCCRQ.
    const GateRule sccrq{GateRule::Kind::begins,
                         GateRule::Transport::udp,
                         port,
                         {{GateRule::kUdpPayload, 0x8000'0000, 0x8000'0000},
                          {GateRule::kUdpPayload + 4, 0xffff'0000, 0}}};
    return {.title = "L2TP",
            .daemon = "xl2tpd",
            .ppp_options = ppp_options,
            .files = config::pppd_files(secrets, ppp_options),
            .tunnel_port = port,
            .name_in_esp = "l2tp-ipsec",
            .gate_rules = {sccrq}};
}

namespace {

using tuning::Demand;
using tuning::Findings;
using tuning::Machine;
using tuning::Row;

// xl2tpd uses select(), which accepts descriptors below FD_SETSIZE: glibc aborts it at others.
constexpr std::uint64_t kFilesMax = 1024;
// As xl2tpd asks at its start (network.c, init_network()): AF_PPPOX, SOCK_DGRAM, PX_PROTO_OL2TP.
constexpr tuning::SocketKind kPppOverL2tp{24, 2, 1};

void judge_files(const Row& row, const Demand& /*demand*/, const Machine& machine,
                 Findings& findings) {
    for (const Machine::Daemon& xl2tpd : daemons_of(machine, "xl2tpd", row.name, findings)) {
        if (xl2tpd.open_files && *xl2tpd.open_files > kFilesMax) {
            findings.add(row, row.name, tuning::amount(*xl2tpd.open_files),
                         fmt::format("set its soft limit to {}", kFilesMax));
        }
    }
}

}  // namespace

tuning::Table Table::tuning_rows() {
    return {
        {.name = "module l2tp_ppp",
         .wanted = tuning::Other{tuning::kModuleWanted, &tuning::judge_module},
         .weight = tuning::Weight::must,
         .need = "l2tp",
         .how = tuning::kModuleHow,
         .why = "without it xl2tpd carries sessions in user space, where no gateway keeps them",
         .socket = kPppOverL2tp,
         .after = "module ppp_generic"},
        {.name = "LimitNOFILE of xl2tpd",
         .wanted = tuning::Other{fmt::format("at most {}", kFilesMax), &judge_files},
         .weight = tuning::Weight::must,
         .need = "l2tp",
         .how = "none in pacemaker.service, whose agent starts it: systemd's default",
         .why =
             "xl2tpd 1.3.18 has two descriptors a tunnel and waits by select(), which ends it at "
             "the number 1024",
         .after = "LimitNOFILE of vpnhad"},
    };
}

// clang-format off
std::vector<MetricRow> Table::metric_rows() {
    return {
        {"vpnha_l2tp_packets_dropped_total",
         "L2TP packets of resumed tunnels that were ignored.",
         true, "reason", {{"malformed", "/counters/l2tp_malformed"},
                          {"data_unknown", "/counters/l2tp_data_unknown"},
                          {"foreign_tunnel", "/counters/l2tp_foreign_tunnel"},
                          {"out_of_window", "/counters/l2tp_out_of_window"},
                          {"duplicate", "/counters/l2tp_duplicates"},
                          {"unexpected", "/counters/l2tp_unexpected"},
                          {"unproven", "/counters/l2tp_unproven"}}, {}, "vpnha_unanswered_total"},
        {"vpnha_l2tp_calls_total",
         "New calls that peers asked for in tunnels that were taken over.",
         true, "answer", {{"accepted", "/counters/l2tp_calls_accepted"},
                          {"refused", "/counters/l2tp_calls_refused"}}},
        {"vpnha_l2tp_retransmissions_total", "L2TP messages sent again in resumed tunnels.",
         true, "", {{"", "/counters/l2tp_retransmissions"}}},
    };
}
// clang-format on

std::vector<tuning::ProgramVersion> Table::program_versions() {
    return {{"xl2tpd", "xl2tpd", "1.3.18-1",
             "the oldest that vpnha is tested with; none is without xelerance/xl2tpd #195, a data "
             "packet of tunnel 0 that costs 10 KiB for ever"}};
}

ProtocolTable protocol_table() {
    return protocol_table_of<Table>();
}

}  // namespace vpnha::l2tp
