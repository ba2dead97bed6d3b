// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.hpp"
#include "config/checks.hpp"
#include "config/key_text.hpp"

namespace vpnha::ipsec {

namespace {

// swanctl.conf and the files of conf.d.
constexpr std::int64_t kConnectionFilesMax = 16;

}  // namespace

using config::Config;
using config::Errors;
using config::Gateway;
using config::Key;
using config::Kind;
using config::Protocol;
using wire::Weight;

constexpr Protocol Table::kProtocol = config::protocol_of<Table>(
    "ipsec",
    "IKE and ESP by the stock charon, for L2TP within IPsec and for IKEv2. The table may be "
    "empty; without it the gateway serves no IPsec. One gateway of a configuration may have it: "
    "a node has one charon.");

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
    config::Facts facts{.title = "IPsec",
                        .daemon = "charon",
                        .needs_esp = required,
                        .has_ike = true,
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
    const Gateway* const first = find_gateway(config);
    if (first != &gateway) {
        errors.add(kProtocol.section, gateway.name, "",
                   fmt::format("gateway '{}' has IPsec already, and a node has one charon; "
                               "leave [{}] out",
                               first->name, header_of(kProtocol.section, gateway.name)));
    }
    // charon does not know what vpnhad gives out.
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

tuning::Table Table::tuning_rows() {
    return {
        {.name = "net.netfilter.nf_conntrack_udp_timeout_stream",
         .wanted = tuning::Minimum{60},
         .need = "ipsec",
         .how = tuning::kByKernel,
         .why = "a client of IPsec behind a NAT is heard of each 20 s only",
         .after = "net.netfilter.nf_conntrack_udp_timeout"},
    };
}

}  // namespace vpnha::ipsec
