// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.hpp"
#include "config/checks.hpp"
#include "config/key_text.hpp"
#include "protocols/tables.hpp"

namespace vpnha::ipsec {

namespace {

// swanctl.conf and the files of conf.d.
constexpr std::int64_t kConnectionFilesMax = 16;

// It is the only one in its network namespace, because of charon.
void check_is_alone(const config::Gateway& gateway, const config::Config& config,
                    config::Errors& errors) {
    const auto& all = config.gateways;
    const auto first = std::ranges::find_if(all, [&gateway](const config::Gateway& each) {
        return each.netns == gateway.netns && each.protocols.get<Table>() != nullptr;
    });
    if (&*first == &gateway) {
        return;
    }
    errors.add(config::Section::gateway, gateway.name, "netns",
               fmt::format("gateway '{}' has IPsec in {} already, which has one charon; give "
                           "'{}' a 'netns' of its own, or leave [{}] out",
                           first->name,
                           gateway.netns.empty() ? "the host's network namespace"
                                                 : fmt::format("'{}'", gateway.netns),
                           gateway.name, header_of(Table::kProtocol.section, gateway.name)));
}

}  // namespace

using config::Config;
using config::Errors;
using config::GateRule;
using config::Gateway;
using config::Key;
using config::Kind;
using config::Protocol;
using wire::Weight;

constexpr Protocol Table::kProtocol = config::protocol_of<Table>(
    "ipsec",
    "IKE and ESP by the stock charon, for L2TP within IPsec and for IKEv2. The table may be "
    "empty; without it the gateway serves no IPsec. A network namespace has one charon, so of "
    "several gateways with this table each has a 'netns' of its own.");

std::vector<Key> Table::keys() {
    return {
        {kProtocol.section, "required", Kind::flag, 0, 0, "false", "true",
         "L2TP passes only within IPsec: the gate drops the port of [gateway.NAME.l2tp] on the "
         "gateway's addresses in clear text, whatever the ruleset and charon's policies are.",
         Weight::session, config::at<&Table::required>()},
        {kProtocol.section, "virtual_pools", Kind::pools, 0, limits::kPoolsPerGatewayMax, "[]",
         "[\"10.200.32.0/20\"]",
         "Nets within 'pools' out of which charon gives the clients of IKEv2 their virtual "
         "addresses: the pools of its plugin ha. While this node serves, 'route_table' leads them "
         "to the outside device, where the SA of each client takes what is for it. []: nobody "
         "gets a virtual address.",
         Weight::note, config::at<&Table::virtual_pools>()},
        {kProtocol.section, "connections", Kind::paths, 0, kConnectionFilesMax,
         "[\"/etc/swanctl/swanctl.conf\"]", "[\"/etc/swanctl/swanctl.conf\"]",
         "Files that swanctl loads. Compared between the nodes by keyed hashes: a standby keeps "
         "only SAs whose connection it has by the same name. The order of lines counts.",
         Weight::session, config::at<&Table::connections>()},
    };
}

config::Facts Table::facts() const {
    // The first message of an exchange without an IKE SA has no SPI of the responder (RFC 7296 3.1;
    // RFC 2408 3.1). Behind a NAT four octets of 0 precede it, at the place of ESP's SPI (RFC 3948
    // 2.2).
    constexpr std::uint32_t kAll = 0xffff'ffff;
    const GateRule ike{
        GateRule::Kind::begins,
        GateRule::Transport::udp,
        500,
        {{GateRule::kUdpPayload + 8, kAll, 0}, {GateRule::kUdpPayload + 12, kAll, 0}}};
    const GateRule behind_nat{GateRule::Kind::begins,
                              GateRule::Transport::udp,
                              4500,
                              {{GateRule::kUdpPayload, kAll, 0},
                               {GateRule::kUdpPayload + 12, kAll, 0},
                               {GateRule::kUdpPayload + 16, kAll, 0}}};
    config::Facts facts{.title = "IPsec",
                        .daemon = "charon",
                        .gate_rules = {ike, behind_nat},
                        .needs_esp = required,
                        .has_esp = true,
                        .led_outside = virtual_pools};
    for (const std::string& path : connections) {
        facts.files.push_back({"connections", path});
    }
    return facts;
}

void Table::check(const Gateway& gateway, const Config& config, Errors& errors) {
    const Table& own = *gateway.protocols.get<Table>();
    if (own.required && !gateway.protocols.tunnel_port()) {
        errors.add(kProtocol.section, gateway.name, "required",
                   fmt::format("there is no L2TP to require it for; add a table "
                               "[gateway.{}.l2tp], or leave 'required' out",
                               gateway.name));
    }
    check_is_alone(gateway, config, errors);
    // charon does not know the addresses that vpnhad assigns.
    check_within_pools(gateway, kProtocol.section, "virtual_pools", own.virtual_pools, errors);
    for (const IpPrefix& net : own.virtual_pools) {
        for (const IpPrefix& common : gateway.common_pool) {
            if (overlap(net, common)) {
                errors.add(kProtocol.section, gateway.name, "virtual_pools",
                           fmt::format("{} overlaps {} of 'common_pool', and two clients "
                                       "would get one address; give another net",
                                       to_string(net), to_string(common)));
            }
        }
    }
}

const Gateway* find_gateway(const Config& config) {
    const auto found = std::ranges::find_if(config.gateways, [](const Gateway& each) {
        return each.protocols.get<Table>() != nullptr;
    });
    return found == config.gateways.end() ? nullptr : &*found;
}

namespace {

// AF_NETLINK, SOCK_RAW, NETLINK_XFRM.
constexpr tuning::SocketKind kXfrmSocket{16, 3, 6};

}  // namespace

tuning::Table Table::tuning_rows() {
    return {
        {.name = "net.netfilter.nf_conntrack_udp_timeout_stream",
         .wanted = tuning::Minimum{60},
         .need = "ipsec",
         .how = tuning::kByKernel,
         .why = "a client of IPsec behind a NAT sends each 20 s only",
         .after = "net.netfilter.nf_conntrack_udp_timeout"},
        {.name = "module xfrm_user",
         .wanted = tuning::Other{tuning::kModuleWanted, &tuning::judge_module},
         .weight = tuning::Weight::must,
         .need = "ipsec",
         .how = tuning::kModuleHow,
         .why = "charon and vpnhad speak with the kernel's SAs through it",
         .socket = kXfrmSocket,
         .after = "module ppp_generic"},
        {.name = "module esp4",
         .wanted = tuning::Other{tuning::kModuleWanted, &tuning::judge_module},
         .weight = tuning::Weight::must,
         .need = "ipsec",
         .how = tuning::kModuleHow,
         .why = "no ESP SA is installed without it",
         .module = "esp4",
         .after = "module xfrm_user"},
        // IPv6 of clients within ESP over IPv4 needs no module.
        {.name = "module esp6",
         .wanted = tuning::Other{tuning::kModuleWanted, &tuning::judge_module},
         .weight = tuning::Weight::must,
         .need = tuning::kEspOverIpv6,
         .how = tuning::kModuleHow,
         .why = "an outside address of IPv6: no ESP SA of a client that dials it is installed "
                "without it",
         .module = "esp6",
         .after = "module esp4"},
    };
}

// clang-format off
std::vector<MetricRow> Table::metric_rows() {
    return {
        {"vpnha_ike_sas", "IKE SAs among the records; clients, mostly.",
         true, "", {{"", "/ipsec/ike_sas"}}, {}, "vpnha_ppp_rejects_withheld_total"},
        {"vpnha_child_sas", "CHILD SAs among the records.", true, "", {{"", "/ipsec/child_sas"}}},
        {"vpnha_ike_half_open",
         "IKE SAs that this node's charon is setting up; they are not replicated.",
         true, "", {{"", "/ipsec/half_open"}}},
        {"vpnha_charon", "What this node's charon does.",
         true, "state", {{"", "/ipsec/charon"}}, {"gone", "passive", "active"}},
        {"vpnha_ipsec_sas_not_for_charon",
         "SAs that this node's charon, of strongSwan 5.9, does not know: RFC 9370.",
         true, "", {{"", "/ipsec/not_for_charon"}}},
        {"vpnha_esp_numbers_left",
         "Sequence numbers that are left to the outbound ESP SA that has the fewest.",
         true, "", {{"", "/ipsec/esp_numbers_left"}}},
        {"vpnha_esp_jumps_total", "CHILD SAs that left numbers out as this node took over.",
         true, "", {{"", "/counters/esp_jumps"}}},
        {"vpnha_esp_numbers_set_total", "ESP SAs of which this node has set the sequence numbers.",
         true, "", {{"", "/counters/esp_numbers_set"}}},
        {"vpnha_esp_packets_total",
         "ESP packets of clients that passed while this node served; those of an SA's first second "
         "are left out.",
         true, "direction", {{"in", "/counters/esp_packets_in"},
                             {"out", "/counters/esp_packets_out"}}},
        {"vpnha_ipsec_rekeys_total", "SAs that replaced one at this node.",
         true, "sa", {{"ike", "/counters/ike_rekeys"}, {"child", "/counters/child_rekeys"}}},
        {"vpnha_peer_moves_total",
         "Clients that the serving node's kernel had at another address or port than the "
         "records.", true, "", {{"", "/counters/peer_moves"}}},
        {"vpnha_ike_requests_repeated_total",
         "Requests of clients that a dead node had received and not answered.",
         true, "", {{"", "/counters/ike_requests_repeated"}}},
        {"vpnha_ike_requests_sent_again_total",
         "Requests of a dead node to clients that had not answered them, each time they were "
         "sent.", true, "", {{"", "/counters/ike_requests_sent_again"}}},
        {"vpnha_ike_sas_ended_childless_total",
         "IKE SAs that this node took over without a CHILD SA, and ended.",
         true, "", {{"", "/counters/ike_sas_ended_childless"}}},
        {"vpnha_charon_messages_dropped_total",
         "Messages of charon about SAs that changed no record.",
         true, "reason", {{"unknown", "/counters/charon_messages_unknown"},
                          {"repeated", "/counters/charon_messages_repeated"},
                          {"unreadable", "/counters/charon_messages_unreadable"},
                          {"ignored", "/counters/charon_messages_ignored"}}},
        {"vpnha_charon_relay_drops_total",
         "Datagrams between charon and vpnhad that were lost: no room in vpnhad's queue, none "
         "in charon's, or refused.",
         true, "reason", {{"from_charon", "/ipsec/relay_drops/from_charon"},
                          {"to_charon", "/ipsec/relay_drops/to_charon"},
                          {"refused", "/ipsec/relay_drops/refused"}}},
        {"vpnha_charon_rebuilds_total",
         "SAs that a passive charon had to delete and was fed from the start.",
         true, "", {{"", "/counters/charon_rebuilds"}}},
        {"vpnha_charon_feeds_failed_total",
         "Times at which charon may have lost some of what it was fed.",
         true, "", {{"", "/counters/charon_feeds_failed"}}},
        {"vpnha_child_sas_lost_total",
         "CHILD SAs that were not in this standby's kernel, in spite of charon.",
         true, "", {{"", "/counters/child_sas_lost"}}},
        {"vpnha_ipsec_records_refused_total",
         "SAs that are not replicated: a record is too small for them, or there are too many.",
         true, "", {{"", "/counters/ipsec_records_refused"}}},
    };
}
// clang-format on

std::vector<tuning::ProgramVersion> Table::program_versions() {
    return {{"charon", "charon-systemd", "5.9.8-5+deb12u6",
             "CVE-2023-41913, CVE-2025-62291 and the later faults of EAP methods, RADIUS and "
             "certificates"},
            {"charon 6", "charon-systemd", "6.0.1-6+deb13u7",
             "updates of Debian 13, CVE-2026-78133 among them: memory is used after its end when "
             "both sides rekey at once",
             "6"}};
}

ProtocolTable protocol_table() {
    return protocol_table_of<Table>();
}

}  // namespace vpnha::ipsec
