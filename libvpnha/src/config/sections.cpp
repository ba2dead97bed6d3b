// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/sections.hpp"

#include <fmt/format.h>

namespace vpnha::config {

bool is_per_gateway(Section section) {
    return section >= Section::gateway;
}

bool has_section(const Gateway& gateway, Section section) {
    return (section != Section::l2tp || gateway.l2tp.has_value()) &&
           (section != Section::pptp || gateway.pptp.has_value()) &&
           (section != Section::ipsec || gateway.ipsec.has_value());
}

std::string_view name_of(Section section) {
    switch (section) {
        case Section::cluster:
            return "cluster";
        case Section::daemon:
            return "daemon";
        case Section::replication:
            return "replication";
        case Section::lease:
            return "lease";
        case Section::fencing:
            return "fencing";
        case Section::gateway:
            return "gateway";
        case Section::outside:
            return "outside";
        case Section::inside:
            return "inside";
        case Section::links:
            return "links";
        case Section::l2tp:
            return "l2tp";
        case Section::pptp:
            return "pptp";
        case Section::ipsec:
            return "ipsec";
        case Section::conntrack:
            return "conntrack";
    }
    return "";
}

std::string header_of(Section section, std::string_view gateway) {
    if (section == Section::gateway) {
        return fmt::format("gateway.{}", gateway);
    }
    return is_per_gateway(section) ? fmt::format("gateway.{}.{}", gateway, name_of(section))
                                   : std::string(name_of(section));
}

std::string_view help_of(Section section) {
    switch (section) {
        case Section::cluster:
            return "The cluster that this node belongs to.";
        case Section::daemon:
            return "vpnhad on this node.";
        case Section::replication:
            return "How records reach the standbys.";
        case Section::lease:
            return "The promoted node's right to speak, by promises of a majority of the nodes.";
        case Section::fencing:
            return "What this node does when the others have fenced it.";
        case Section::gateway:
            return "A gateway: addresses and sessions that fail over together. One table each.";
        case Section::outside:
            return "The side on which clients dial in.";
        case Section::inside:
            return "The side on which the clients' traffic goes on.";
        case Section::links:
            return "When a promoted node whose outside or inside link is lost gives the gateway "
                   "away.";
        case Section::l2tp:
            return "The gateway's L2TP service, next to the stock xl2tpd. The table may be empty; "
                   "without "
                   "it the gateway serves no L2TP.";
        case Section::pptp:
            return "The gateway's PPTP service, by the stock pptpd. The table may be empty; "
                   "without "
                   "it the gateway serves no PPTP, and the gate leaves TCP port 1723 of its "
                   "addresses alone.";
        case Section::ipsec:
            return "IKE and ESP by the stock charon, for L2TP within IPsec and for IKEv2. The "
                   "table "
                   "may be empty; without it the gateway serves no IPsec. One gateway of a "
                   "configuration may have it: a node has one charon.";
        case Section::conntrack:
            return "Which flows of the kernel's connection tracking go on after a takeover.";
    }
    return "";
}

}  // namespace vpnha::config
