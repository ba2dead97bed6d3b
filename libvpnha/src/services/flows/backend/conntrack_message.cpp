// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/backend/conntrack_message.hpp"

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>

#include <algorithm>

#include "services/flows/backend/conntrack_attributes.hpp"

namespace vpnha::adapters {

namespace {

using conntrack::Flow;
using conntrack::FlowKey;
using conntrack::News;

static_assert(conntrack::kSeenReply == IPS_SEEN_REPLY);
static_assert(conntrack::kAssured == IPS_ASSURED);
static_assert(conntrack::kConfirmed == IPS_CONFIRMED);
static_assert(conntrack::kExpected == IPS_EXPECTED);
static_assert(conntrack::kFixedTimeout == IPS_FIXED_TIMEOUT);
static_assert(conntrack::kTcpRecordFlags ==
              (IP_CT_TCP_FLAG_WINDOW_SCALE | IP_CT_TCP_FLAG_SACK_PERM | IP_CT_TCP_FLAG_CLOSE_INIT));
static_assert(conntrack::kTcpLiberal == IP_CT_TCP_FLAG_BE_LIBERAL);
static_assert(static_cast<int>(conntrack::TcpState::syn_sent_2) == TCP_CONNTRACK_SYN_SENT2);

void parse_tcp(ByteView bytes, Flow& flow) {
    each_attribute(bytes, [&](int outer, ByteView inner) {
        if (outer != CTA_PROTOINFO_TCP) {
            return;
        }
        flow.tcp.emplace();
        conntrack::Tcp& tcp = *flow.tcp;
        each_attribute(inner, [&tcp](int type, ByteView content) {
            // A mask follows the flags.
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
            flow.helper = text_of(content);
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
    each_attribute(attributes_of(message), [&](int attribute, ByteView content) {
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

}  // namespace vpnha::adapters
