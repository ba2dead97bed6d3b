// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/conntrack_message.hpp"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace vpnha::adapters {

namespace {

using conntrack::Flow;
using conntrack::FlowKey;
using conntrack::News;
using conntrack::Tuple;

static_assert(conntrack::kSeenReply == IPS_SEEN_REPLY);
static_assert(conntrack::kAssured == IPS_ASSURED);
static_assert(conntrack::kConfirmed == IPS_CONFIRMED);
static_assert(conntrack::kExpected == IPS_EXPECTED);
static_assert(conntrack::kTcpRecordFlags ==
              (IP_CT_TCP_FLAG_WINDOW_SCALE | IP_CT_TCP_FLAG_SACK_PERM | IP_CT_TCP_FLAG_CLOSE_INIT));
static_assert(conntrack::kTcpLiberal == IP_CT_TCP_FLAG_BE_LIBERAL);
static_assert(static_cast<int>(conntrack::TcpState::syn_sent_2) == TCP_CONNTRACK_SYN_SENT2);

// Calls visit(type, content) for each attribute in `bytes`; ends at one that claims more than there
// is. libmnl's walk is a call into the library for each step, and this is the innermost loop.
template <class Visit>
void each_attribute(ByteView bytes, Visit visit) {
    while (bytes.size() >= sizeof(nlattr)) {
        nlattr header{};
        std::memcpy(&header, bytes.data(), sizeof header);
        if (header.nla_len < sizeof header || header.nla_len > bytes.size()) {
            return;
        }
        visit(header.nla_type & NLA_TYPE_MASK,
              bytes.subspan(sizeof header, header.nla_len - sizeof header));
        bytes = bytes.subspan(std::min<std::size_t>(NLA_ALIGN(header.nla_len), bytes.size()));
    }
}

std::uint16_t u16_of(ByteView content) {
    return ByteReader(content).u16();
}
std::uint32_t u32_of(ByteView content) {
    return ByteReader(content).u32();
}
std::uint8_t u8_of(ByteView content) {
    return ByteReader(content).u8();
}

struct ParsedTuple {
    Tuple tuple;
    std::uint8_t protocol = 0;
    std::optional<std::uint16_t> zone;
    int addresses = 0;
};

void parse_addresses(ByteView bytes, ParsedTuple& parsed) {
    each_attribute(bytes, [&](int type, ByteView content) {
        const std::optional<IpAddress> address = ip_address_of(content);
        if (!address) {
            return;
        }
        ++parsed.addresses;
        if (type == CTA_IP_V4_SRC || type == CTA_IP_V6_SRC) {
            parsed.tuple.source = *address;
        } else {
            parsed.tuple.destination = *address;
        }
    });
}

void parse_parts(ByteView bytes, ParsedTuple& parsed) {
    Tuple& tuple = parsed.tuple;
    each_attribute(bytes, [&](int type, ByteView content) {
        switch (type) {
            case CTA_PROTO_NUM:
                parsed.protocol = u8_of(content);
                break;
            case CTA_PROTO_SRC_PORT:
            case CTA_PROTO_ICMP_ID:
            case CTA_PROTO_ICMPV6_ID:
                tuple.source_part = u16_of(content);
                break;
            case CTA_PROTO_DST_PORT:
                tuple.destination_part = u16_of(content);
                break;
            case CTA_PROTO_ICMP_TYPE:
            case CTA_PROTO_ICMPV6_TYPE:
                tuple.destination_part =
                    static_cast<std::uint16_t>(tuple.destination_part | u8_of(content) << 8);
                break;
            case CTA_PROTO_ICMP_CODE:
            case CTA_PROTO_ICMPV6_CODE:
                tuple.destination_part =
                    static_cast<std::uint16_t>(tuple.destination_part | u8_of(content));
                break;
            default:
                break;
        }
    });
}

ParsedTuple parse_tuple(ByteView bytes) {
    ParsedTuple parsed;
    each_attribute(bytes, [&](int type, ByteView content) {
        if (type == CTA_TUPLE_IP) {
            parse_addresses(content, parsed);
        } else if (type == CTA_TUPLE_PROTO) {
            parse_parts(content, parsed);
        } else if (type == CTA_TUPLE_ZONE) {
            parsed.zone = u16_of(content);
        }
    });
    return parsed;
}

void parse_tcp(ByteView bytes, Flow& flow) {
    each_attribute(bytes, [&](int outer, ByteView inner) {
        if (outer != CTA_PROTOINFO_TCP) {
            return;
        }
        flow.tcp.emplace();
        conntrack::Tcp& tcp = *flow.tcp;
        each_attribute(inner, [&tcp](int type, ByteView content) {
            // Flags come with a mask behind them.
            switch (type) {
                case CTA_PROTOINFO_TCP_STATE:
                    tcp.state = static_cast<conntrack::TcpState>(u8_of(content));
                    break;
                case CTA_PROTOINFO_TCP_WSCALE_ORIGINAL:
                    tcp.scale[0] = u8_of(content);
                    break;
                case CTA_PROTOINFO_TCP_WSCALE_REPLY:
                    tcp.scale[1] = u8_of(content);
                    break;
                case CTA_PROTOINFO_TCP_FLAGS_ORIGINAL:
                    tcp.flags[0] = u8_of(content);
                    break;
                case CTA_PROTOINFO_TCP_FLAGS_REPLY:
                    tcp.flags[1] = u8_of(content);
                    break;
                default:
                    break;
            }
        });
    });
}

std::optional<conntrack::SequenceAdjustment> parse_adjustment(ByteView bytes) {
    conntrack::SequenceAdjustment adjustment;
    each_attribute(bytes, [&](int type, ByteView content) {
        if (type == CTA_SEQADJ_CORRECTION_POS) {
            adjustment.position = u32_of(content);
        } else if (type == CTA_SEQADJ_OFFSET_BEFORE) {
            adjustment.before = static_cast<std::int32_t>(u32_of(content));
        } else if (type == CTA_SEQADJ_OFFSET_AFTER) {
            adjustment.after = static_cast<std::int32_t>(u32_of(content));
        }
    });
    return adjustment == conntrack::SequenceAdjustment{} ? std::nullopt : std::optional(adjustment);
}

void parse_labels(ByteView content, Flow& flow) {
    conntrack::Labels labels{};
    std::copy_n(content.begin(), std::min(content.size(), labels.size()), labels.begin());
    if (labels != conntrack::Labels{}) {
        flow.labels = labels;
    }
}

void parse_helper(ByteView bytes, Flow& flow) {
    each_attribute(bytes, [&flow](int type, ByteView content) {
        if (type == CTA_HELP_NAME) {
            flow.helper = to_text(content);
            flow.helper.resize(std::min(flow.helper.size(), flow.helper.find('\0')));
        }
    });
}

void parse_status(std::uint32_t status, News& news) {
    news.flow.status = status & conntrack::kRecordStatus;
    news.expected = (status & IPS_EXPECTED) != 0;
    news.adjusted = (status & IPS_SEQ_ADJUST) != 0;
}

void parse_small(int type, ByteView content, News& news) {
    Flow& flow = news.flow;
    switch (type) {
        case CTA_STATUS:
            parse_status(u32_of(content), news);
            break;
        case CTA_TIMEOUT:
            flow.timeout_s = u32_of(content);
            break;
        case CTA_MARK:
            flow.mark = u32_of(content);
            break;
        case CTA_ZONE:
            flow.key.zone = {u16_of(content), conntrack::ZoneScope::both};
            break;
        case CTA_PROTOINFO:
            parse_tcp(content, flow);
            break;
        case CTA_HELP:
            parse_helper(content, flow);
            break;
        case CTA_LABELS:
            parse_labels(content, flow);
            break;
        case CTA_SEQ_ADJ_ORIG:
            flow.adjusted[0] = parse_adjustment(content);
            break;
        case CTA_SEQ_ADJ_REPLY:
            flow.adjusted[1] = parse_adjustment(content);
            break;
        default:
            break;
    }
}

// Requests. libmnl's writers are calls as well, but injection is the kernel's time.

nlmsghdr* put_header(char* buffer, int type, int flags, bool ipv4) {
    nlmsghdr* const message = mnl_nlmsg_put_header(buffer);
    message->nlmsg_type = static_cast<std::uint16_t>(NFNL_SUBSYS_CTNETLINK << 8 | type);
    message->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    auto* const family =
        static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(nfgenmsg)));
    family->nfgen_family = ipv4 ? AF_INET : AF_INET6;
    family->version = NFNETLINK_V0;
    return message;
}

void put_address(nlmsghdr* message, int of_ipv4, int of_ipv6, const IpAddress& address) {
    const ByteView octets = address.octets();
    mnl_attr_put(message, static_cast<std::uint16_t>(address.is_v4() ? of_ipv4 : of_ipv6),
                 octets.size(), octets.data());
}

void put_u16(nlmsghdr* message, std::uint16_t type, std::uint16_t value) {
    mnl_attr_put_u16(message, type, htons(value));
}
void put_u32(nlmsghdr* message, std::uint16_t type, std::uint32_t value) {
    mnl_attr_put_u32(message, type, htonl(value));
}

void put_parts(nlmsghdr* message, std::uint8_t protocol, const Tuple& tuple) {
    const auto icmp = [&](std::uint16_t id, std::uint16_t type, std::uint16_t code) {
        put_u16(message, id, tuple.source_part);
        mnl_attr_put_u8(message, type, static_cast<std::uint8_t>(tuple.destination_part >> 8));
        mnl_attr_put_u8(message, code, static_cast<std::uint8_t>(tuple.destination_part));
    };
    if (protocol == conntrack::kIcmp) {
        icmp(CTA_PROTO_ICMP_ID, CTA_PROTO_ICMP_TYPE, CTA_PROTO_ICMP_CODE);
    } else if (protocol == conntrack::kIcmpv6) {
        icmp(CTA_PROTO_ICMPV6_ID, CTA_PROTO_ICMPV6_TYPE, CTA_PROTO_ICMPV6_CODE);
    } else if (conntrack::has_parts(protocol)) {
        put_u16(message, CTA_PROTO_SRC_PORT, tuple.source_part);
        put_u16(message, CTA_PROTO_DST_PORT, tuple.destination_part);
    }
}

void put_tuple(nlmsghdr* message, std::uint16_t type, std::uint8_t protocol, const Tuple& tuple,
               std::uint16_t zone = 0) {
    nlattr* const nest = mnl_attr_nest_start(message, type);
    nlattr* const addresses = mnl_attr_nest_start(message, CTA_TUPLE_IP);
    put_address(message, CTA_IP_V4_SRC, CTA_IP_V6_SRC, tuple.source);
    put_address(message, CTA_IP_V4_DST, CTA_IP_V6_DST, tuple.destination);
    mnl_attr_nest_end(message, addresses);
    nlattr* const parts = mnl_attr_nest_start(message, CTA_TUPLE_PROTO);
    mnl_attr_put_u8(message, CTA_PROTO_NUM, protocol);
    put_parts(message, protocol, tuple);
    mnl_attr_nest_end(message, parts);
    if (zone != 0) {
        put_u16(message, CTA_TUPLE_ZONE, zone);
    }
    mnl_attr_nest_end(message, nest);
}

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

// The one address and part that this end is translated to: no choice is left to the kernel.
void put_nat(nlmsghdr* message, std::uint16_t type, std::uint8_t protocol, const IpAddress& address,
             std::uint16_t part) {
    nlattr* const nest = mnl_attr_nest_start(message, type);
    put_address(message, CTA_NAT_V4_MINIP, CTA_NAT_V6_MINIP, address);
    put_address(message, CTA_NAT_V4_MAXIP, CTA_NAT_V6_MAXIP, address);
    if (conntrack::has_parts(protocol)) {
        nlattr* const parts = mnl_attr_nest_start(message, CTA_NAT_PROTO);
        put_u16(message, CTA_PROTONAT_PORT_MIN, part);
        put_u16(message, CTA_PROTONAT_PORT_MAX, part);
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
    put_reply_tuple(message, flow.key, inverse);
    // ICMP's identifier stands at the same end in both directions, and is the source's.
    const std::uint16_t source_part = icmp ? flow.reply.source_part : flow.reply.destination_part;
    if (flow.reply.destination != inverse.destination ||
        source_part != (icmp ? inverse.source_part : inverse.destination_part)) {
        put_nat(message, CTA_NAT_SRC, protocol, flow.reply.destination, source_part);
    }
    if (flow.reply.source != inverse.source ||
        (!icmp && flow.reply.source_part != inverse.source_part)) {
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

std::optional<News> parse_flow_message(const nlmsghdr* message, bool listed) {
    const int type = message->nlmsg_type & 0xff;
    if (message->nlmsg_type >> 8 != NFNL_SUBSYS_CTNETLINK ||
        (type != IPCTNL_MSG_CT_NEW && type != IPCTNL_MSG_CT_DELETE) ||
        mnl_nlmsg_get_payload_len(message) < sizeof(nfgenmsg)) {
        return std::nullopt;
    }
    News news;
    news.kind = listed                         ? News::Kind::listed
                : type == IPCTNL_MSG_CT_DELETE ? News::Kind::ended
                                               : News::Kind::changed;
    Flow& flow = news.flow;
    ParsedTuple original;
    ParsedTuple reply;
    const auto* const payload =
        static_cast<const std::uint8_t*>(mnl_nlmsg_get_payload(message)) + sizeof(nfgenmsg);
    each_attribute({payload, mnl_nlmsg_get_payload_len(message) - sizeof(nfgenmsg)},
                   [&](int attribute, ByteView content) {
                       if (attribute == CTA_TUPLE_ORIG) {
                           original = parse_tuple(content);
                       } else if (attribute == CTA_TUPLE_REPLY) {
                           reply = parse_tuple(content);
                       } else if (attribute == CTA_TUPLE_MASTER) {
                           const ParsedTuple parent = parse_tuple(content);
                           flow.parent = FlowKey{parent.protocol, {}, parent.tuple};
                       } else {
                           parse_small(attribute, content, news);
                       }
                   });
    if (original.addresses != 2 || reply.addresses != 2) {
        return std::nullopt;
    }
    flow.key.protocol = original.protocol;
    flow.key.original = original.tuple;
    flow.reply = reply.tuple;
    if (original.zone) {
        flow.key.zone = {*original.zone, conntrack::ZoneScope::original};
    } else if (reply.zone) {
        flow.key.zone = {*reply.zone, conntrack::ZoneScope::reply};
    }
    if (flow.parent) {
        flow.parent->zone = flow.key.zone;
    }
    return news;
}

nlmsghdr* put_flow(char* buffer, const Flow& flow, FlowRequest request) {
    const bool create = request == FlowRequest::create;
    nlmsghdr* const message =
        put_header(buffer, IPCTNL_MSG_CT_NEW, create ? NLM_F_CREATE | NLM_F_EXCL : 0,
                   flow.key.original.source.is_v4());
    if (create) {
        put_tuples_of_new(message, flow);
        put_unchangeable(message, flow);
    } else {
        put_original(message, flow.key);
    }
    put_zone(message, flow.key.zone);
    // Without the bits that the entry has the kernel takes it for an attempt to unset them.
    const std::uint32_t expected = !create && flow.parent ? conntrack::kExpected : 0;
    put_u32(message, CTA_STATUS,
            (flow.status & conntrack::kRecordStatus) | conntrack::kConfirmed | expected);
    put_u32(message, CTA_TIMEOUT, flow.timeout_s);
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
    nlmsghdr* const message = put_header(buffer, IPCTNL_MSG_CT_NEW, 0, key.original.source.is_v4());
    put_original(message, key);
    put_zone(message, key.zone);
    put_u32(message, CTA_TIMEOUT, timeout.seconds);
    return message;
}

nlmsghdr* put_key(char* buffer, const FlowKey& key, KeyRequest request) {
    nlmsghdr* const message = put_header(buffer, type_of(request), 0, key.original.source.is_v4());
    put_original(message, key);
    put_zone(message, key.zone);
    return message;
}

nlmsghdr* put_reply(char* buffer, const FlowKey& key, const Tuple& reply, KeyRequest request) {
    nlmsghdr* const message = put_header(buffer, type_of(request), 0, reply.source.is_v4());
    put_reply_tuple(message, key, reply);
    put_zone(message, key.zone);
    return message;
}

nlmsghdr* put_listing(char* buffer) {
    nlmsghdr* const message = put_header(buffer, IPCTNL_MSG_CT_GET, NLM_F_DUMP, true);
    static_cast<nfgenmsg*>(mnl_nlmsg_get_payload(message))->nfgen_family = AF_UNSPEC;
    return message;
}

}  // namespace vpnha::adapters
