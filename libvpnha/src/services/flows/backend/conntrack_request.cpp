// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>

#include "services/flows/backend/conntrack_attributes.hpp"
#include "services/flows/backend/conntrack_message.hpp"

namespace vpnha::adapters {

namespace {

using conntrack::Flow;
using conntrack::FlowKey;
using conntrack::Tuple;

void put_original(nlmsghdr* message, const FlowKey& key) {
    const bool only = key.zone.scope == conntrack::ZoneScope::original;
    put_tuple(message, CTA_TUPLE_ORIG, key.protocol, key.original, only ? key.zone.id : 0);
}

void put_reply_tuple(nlmsghdr* message, const FlowKey& key, const Tuple& reply) {
    const bool only = key.zone.scope == conntrack::ZoneScope::reply;
    put_tuple(message, CTA_TUPLE_REPLY, key.protocol, reply, only ? key.zone.id : 0);
}

void put_zone(nlmsghdr* message, const conntrack::Zone& zone) {
    if (zone.id != 0 && zone.scope == conntrack::ZoneScope::both) {
        put_u16(message, CTA_ZONE, zone.id);
    }
}

// The one address and part to which this end is translated: without a maximum the kernel has no
// choice.
void put_nat(nlmsghdr* message, std::uint16_t type, std::uint8_t protocol, const IpAddress& address,
             std::uint16_t part) {
    nlattr* const nest = mnl_attr_nest_start(message, type);
    put_address(message, CTA_NAT_V4_MINIP, CTA_NAT_V6_MINIP, address);
    if (conntrack::has_parts(protocol)) {
        nlattr* const parts = mnl_attr_nest_start(message, CTA_NAT_PROTO);
        put_u16(message, CTA_PROTONAT_PORT_MIN, part);
        mnl_attr_nest_end(message, parts);
    }
    mnl_attr_nest_end(message, nest);
}

// The kernel makes the reply's tuple by itself, from the inverse of the original and these.
void put_tuples_of_new(nlmsghdr* message, const Flow& flow) {
    const std::uint8_t protocol = flow.key.protocol;
    const Tuple inverse = conntrack::invert(protocol, flow.key.original);
    const bool icmp = protocol == conntrack::kIcmp || protocol == conntrack::kIcmpv6;
    put_original(message, flow.key);
    Tuple answered = inverse;
    if (protocol == conntrack::kGre) {
        // Without a parent the kernel's NAT does not change keys: they are sent changed.
        answered.source_part = flow.reply.source_part;
        answered.destination_part = flow.reply.destination_part;
    }
    put_reply_tuple(message, flow.key, answered);
    // ICMP's identifier is at the same end in both directions, and is the source's.
    const std::uint16_t source_part = icmp ? flow.reply.source_part : flow.reply.destination_part;
    const bool source_differs =
        flow.reply.destination != inverse.destination ||
        source_part != (icmp ? inverse.source_part : inverse.destination_part);
    const bool destination_differs = flow.reply.source != inverse.source ||
                                     (!icmp && flow.reply.source_part != inverse.source_part);
    // The kernel binds both ends if one is given. It searches its table for whether the tuple is
    // free, unless the port is given as well.
    const bool ports = conntrack::has_parts(protocol) && !icmp && protocol != conntrack::kGre;
    const bool both = ports && (source_differs || destination_differs);
    if (source_differs || both) {
        put_nat(message, CTA_NAT_SRC, protocol, flow.reply.destination, source_part);
    }
    if (destination_differs || both) {
        put_nat(message, CTA_NAT_DST, protocol, flow.reply.source, flow.reply.source_part);
    }
}

void put_tcp(nlmsghdr* message, const conntrack::Tcp& tcp) {
    nlattr* const outer = mnl_attr_nest_start(message, CTA_PROTOINFO);
    nlattr* const inner = mnl_attr_nest_start(message, CTA_PROTOINFO_TCP);
    mnl_attr_put_u8(message, CTA_PROTOINFO_TCP_STATE, static_cast<std::uint8_t>(tcp.state));
    mnl_attr_put_u8(message, CTA_PROTOINFO_TCP_WSCALE_ORIGINAL, tcp.scale[0]);
    mnl_attr_put_u8(message, CTA_PROTOINFO_TCP_WSCALE_REPLY, tcp.scale[1]);
    constexpr std::uint8_t kMask = conntrack::kTcpRecordFlags | conntrack::kTcpLiberal;
    for (const auto& [type, flags] : {std::pair{CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, tcp.flags[0]},
                                      std::pair{CTA_PROTOINFO_TCP_FLAGS_REPLY, tcp.flags[1]}}) {
        const nf_ct_tcp_flags value{flags, kMask};
        mnl_attr_put(message, static_cast<std::uint16_t>(type), sizeof value, &value);
    }
    mnl_attr_nest_end(message, inner);
    mnl_attr_nest_end(message, outer);
}

void put_adjustment(nlmsghdr* message, std::uint16_t type,
                    const std::optional<conntrack::SequenceAdjustment>& adjustment) {
    if (!adjustment) {
        return;
    }
    nlattr* const nest = mnl_attr_nest_start(message, type);
    put_u32(message, CTA_SEQADJ_CORRECTION_POS, adjustment->position);
    put_u32(message, CTA_SEQADJ_OFFSET_BEFORE, static_cast<std::uint32_t>(adjustment->before));
    put_u32(message, CTA_SEQADJ_OFFSET_AFTER, static_cast<std::uint32_t>(adjustment->after));
    mnl_attr_nest_end(message, nest);
}

void put_unchangeable(nlmsghdr* message, const Flow& flow) {
    if (!flow.helper.empty()) {
        nlattr* const nest = mnl_attr_nest_start(message, CTA_HELP);
        mnl_attr_put_strz(message, CTA_HELP_NAME, flow.helper.c_str());
        mnl_attr_nest_end(message, nest);
    }
    if (flow.parent) {
        put_tuple(message, CTA_TUPLE_MASTER, flow.parent->protocol, flow.parent->original);
    }
}

int type_of(KeyRequest request) {
    return request == KeyRequest::find ? IPCTNL_MSG_CT_GET : IPCTNL_MSG_CT_DELETE;
}

}  // namespace

nlmsghdr* put_flow(char* buffer, const Flow& flow, FlowRequest request) {
    const bool create = request == FlowRequest::create;
    nlmsghdr* const message =
        put_header(buffer, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW,
                   create ? NLM_F_CREATE | NLM_F_EXCL : 0, flow.key.original.source.is_v4());
    if (create) {
        put_tuples_of_new(message, flow);
        put_unchangeable(message, flow);
    } else {
        put_original(message, flow.key);
    }
    put_zone(message, flow.key.zone);
    // Without the entry's own bits the kernel considers it an attempt to unset them.
    const std::uint32_t expected = !create && flow.parent ? conntrack::kExpected : 0;
    // A GRE entry that no packet made has a timeout of 0 for the next packet.
    const std::uint32_t fixed = flow.key.protocol == conntrack::kGre ? conntrack::kFixedTimeout : 0;
    put_u32(message, CTA_STATUS,
            (flow.status & conntrack::kRecordStatus) | conntrack::kConfirmed | expected | fixed);
    if (create || fixed == 0) {
        put_u32(message, CTA_TIMEOUT, flow.timeout_s);
    }
    if (flow.tcp) {
        put_tcp(message, *flow.tcp);
    }
    if (flow.mark != 0 || !create) {
        put_u32(message, CTA_MARK, flow.mark);
    }
    if (flow.labels) {
        mnl_attr_put(message, CTA_LABELS, flow.labels->size(), flow.labels->data());
    }
    put_adjustment(message, CTA_SEQ_ADJ_ORIG, flow.adjusted[0]);
    put_adjustment(message, CTA_SEQ_ADJ_REPLY, flow.adjusted[1]);
    return message;
}

nlmsghdr* put_timeout(char* buffer, const conntrack::Timeout& timeout) {
    const FlowKey& key = timeout.key;
    nlmsghdr* const message = put_header(buffer, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW, 0,
                                         key.original.source.is_v4());
    put_original(message, key);
    put_zone(message, key.zone);
    put_u32(message, CTA_TIMEOUT, timeout.seconds);
    return message;
}

nlmsghdr* put_key(char* buffer, const FlowKey& key, KeyRequest request) {
    nlmsghdr* const message =
        put_header(buffer, NFNL_SUBSYS_CTNETLINK, type_of(request), 0, key.original.source.is_v4());
    put_original(message, key);
    put_zone(message, key.zone);
    return message;
}

nlmsghdr* put_reply(char* buffer, const FlowKey& key, const Tuple& reply, KeyRequest request) {
    nlmsghdr* const message =
        put_header(buffer, NFNL_SUBSYS_CTNETLINK, type_of(request), 0, reply.source.is_v4());
    put_reply_tuple(message, key, reply);
    put_zone(message, key.zone);
    return message;
}

nlmsghdr* put_listing(char* buffer) {
    nlmsghdr* const message =
        put_header(buffer, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET, NLM_F_DUMP, true);
    static_cast<nfgenmsg*>(mnl_nlmsg_get_payload(message))->nfgen_family = AF_UNSPEC;
    return message;
}

}  // namespace vpnha::adapters
