// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/wireguard/table.hpp"

#include <fmt/format.h>

#include <optional>

#include "base/limits.hpp"
#include "config/key_text.hpp"
#include "protocols/tables.hpp"
#include "protocols/wireguard/model/peers_file.hpp"

namespace vpnha::wireguard {

using config::Config;
using config::Errors;
using config::Facts;
using config::GateRule;
using config::Gateway;
using config::Key;
using config::Kind;
using config::Protocol;
using wire::Weight;

constexpr Protocol Table::kProtocol = config::protocol_of<Table>(
    "wireguard",
    "The gateway's WireGuard, by the kernel. The table may be empty; without it the gateway "
    "serves no WireGuard. vpnhad makes the device on every node.");

namespace {

Result<void> check_private_key(std::string_view content, std::string_view path) {
    return parse_private_key(content, path).map([](const SecretKey&) {});
}

Result<void> check_peers(std::string_view content, std::string_view path) {
    return parse_peers_file(content, path).map([](const PeersFile&) {});
}

}  // namespace

std::vector<Key> Table::keys() {
    return {
        {kProtocol.section, "device", Kind::interface, 1, limits::kInterfaceNameBytesMax, "\"wg0\"",
         "\"wg0\"",
         "The device that vpnhad makes; one of that name, if it is of WireGuard, is replaced.",
         Weight::note, config::at<&Table::device>()},
        {kProtocol.section, "listen_port", Kind::number, 1, 65'535, "51820", "51820",
         "UDP port that clients dial. nftables drops what comes to it by another address than a "
         "VIP of the gateway.",
         Weight::session, config::at<&Table::listen_port>()},
        {kProtocol.section, "private_key", Kind::path, 2, config::kFilePathBytesMax,
         "\"/etc/vpnha/wireguard.key\"", "\"/etc/vpnha/wireguard.key\"",
         "File with the gateway's private key, as 'wg genkey' writes it: the same on all nodes. "
         "Compared between them by keyed hashes.",
         Weight::note, config::at<&Table::private_key>()},
        {kProtocol.section, "peers", Kind::path, 2, config::kFilePathBytesMax,
         "\"/etc/vpnha/wireguard-peers.conf\"", "\"/etc/vpnha/wireguard-peers.conf\"",
         "File with a section [Peer] for each client, as 'wg setconf' reads it; the same on all "
         "nodes, and compared in the same way. The node that is promoted reads it, and its peers "
         "are the gateway's.",
         Weight::note, config::at<&Table::peers>()},
    };
}

Facts Table::facts() const {
    // Messages begin with their type, and three octets of 0. A handshake begins a session, and each
    // later one renews it. A client that receives data has keys, for 180 s without a new handshake.
    const auto message = [this](GateRule::Kind kind, std::uint32_t type) {
        return GateRule{kind,
                        GateRule::Transport::udp,
                        listen_port,
                        {{GateRule::kUdpPayload, 0xffff'ffff, type << 24U}}};
    };
    GateRule data = message(GateRule::Kind::continues, 4);
    data.lasts = std::chrono::seconds(180);
    return {.title = "WireGuard",
            .daemon = {},  // The kernel.
            .files = {{.what = "private_key", .path = private_key, .check = check_private_key},
                      {.what = "peers", .path = peers, .check = check_peers}},
            .gate_rules = {message(GateRule::Kind::renews, 1), data},
            .is_marked = true};
}

// A device belongs to a network namespace, and its port applies to all addresses there.
void Table::check(const Gateway& gateway, const Config& config, Errors& errors) {
    const Table& own = *gateway.protocols.get<Table>();
    const auto report_taken = [&](std::string_view key, std::string_view whose) {
        errors.add(kProtocol.section, gateway.name, key,
                   fmt::format("'{}' is that of {} already; give another", key, whose));
    };
    bool is_before = true;  // The later one of two gateways gets the error.
    for (const Gateway& other : config.gateways) {
        is_before = is_before && &other != &gateway;
        if (other.netns != gateway.netns) {
            continue;
        }
        const std::string whose = fmt::format("gateway '{}'", other.name);
        const Table* const others = is_before ? other.protocols.get<Table>() : nullptr;
        if (other.is_on(own.device) || (others != nullptr && others->device == own.device)) {
            report_taken("device", whose);
        }
        if (others != nullptr && others->listen_port == own.listen_port) {
            report_taken("listen_port", whose);
        }
        if (other.route_table == gateway.mark_table()) {
            errors.add(config::Section::gateway, other.name, "route_table",
                       fmt::format("table {} is that of WireGuard of gateway '{}'; give another",
                                   other.route_table, gateway.name));
        }
        const std::optional<Facts> tunnels = other.protocols.first(
            [&own](const Facts& each) { return each.tunnel_port == own.listen_port; });
        if (tunnels) {
            report_taken("listen_port", fmt::format("{} of {}", tunnels->title, whose));
        }
    }
    if (gateway.netns.empty() && config.lease_port == own.listen_port) {
        report_taken("listen_port", "[lease]");
    }
}

tuning::Table Table::tuning_rows() {
    return {
        {.name = "module wireguard",
         .wanted = tuning::Other{tuning::kModuleWanted, &tuning::judge_module},
         .weight = tuning::Weight::must,
         .need = "wireguard",
         .how = "Debian's kernels have it",
         .why = "the device of a gateway's peers cannot be made without it",
         .module = "wireguard",
         .after = "module ppp_generic"},
    };
}

// clang-format off
std::vector<MetricRow> Table::metric_rows() {
    return {
        {"vpnha_wireguard_peers", "Peers of WireGuard among the records.",
         true, "", {{"", "/wireguard/peers"}}},
        {"vpnha_wireguard_peers_active",
         "Of them, those that have shaken hands in the last 180 s: clients with a session.",
         true, "", {{"", "/wireguard/active"}}},
        {"vpnha_wireguard_peers_waiting",
         "Peers whose turn to shake hands with this node after its takeover has not come.",
         true, "", {{"", "/wireguard/waiting"}}},
        {"vpnha_wireguard_handshakes_total",
         "Peers with which this node began to shake hands as it took over; unanswered: within 1 s.",
         true, "result", {{"answered", "/counters/wireguard_answered"},
                          {"unanswered", "/counters/wireguard_unanswered"}}},
        {"vpnha_wireguard_roams_total",
         "Peers that the serving node's kernel had at another address or port than the records.",
         true, "", {{"", "/counters/wireguard_roamed"}}},
        {"vpnha_wireguard_tried_as_standby_total",
         "Handshakes that this node's kernel began as a standby; their peers were added anew.",
         true, "", {{"", "/counters/wireguard_tried_as_standby"}}},
    };
}
// clang-format on

ProtocolTable protocol_table() {
    return protocol_table_of<Table>();
}

}  // namespace vpnha::wireguard
