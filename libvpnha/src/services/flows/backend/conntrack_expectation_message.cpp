// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/backend/conntrack_expectation_message.hpp"

#include <linux/netfilter/nf_conntrack_common.h>

#include <utility>

#include "services/flows/backend/conntrack_attributes.hpp"
#include "services/flows/model/flow_record.hpp"

namespace vpnha::adapters {

namespace {

using conntrack::Expectation;
using conntrack::FlowKey;
using conntrack::Tuple;

static_assert(conntrack::kExpectPermanent == NF_CT_EXPECT_PERMANENT);
static_assert(conntrack::kExpectInactive == NF_CT_EXPECT_INACTIVE);

constexpr std::uint16_t kWholePart = 0xffff;

IpAddress no_address(bool ipv4) {
    return ipv4 ? IpAddress(Ipv4Address{0}) : IpAddress(Ipv6Address{});
}

IpAddress whole_address(bool ipv4) {
    return no_address(ipv4).masked(0, true);
}

// False when the mask is neither all nor nothing of address and part.
bool parse_mask(const ParsedTuple& mask, Expectation& expectation) {
    Tuple& tuple = expectation.key.original;
    const bool ipv4 = mask.tuple.source.is_v4();
    expectation.from_address = mask.tuple.source == whole_address(ipv4);
    expectation.from_part = mask.tuple.source_part == kWholePart;
    if (!expectation.from_address) {
        tuple.source = no_address(ipv4);
    }
    if (!expectation.from_part) {
        tuple.source_part = 0;
    }
    return (expectation.from_address || mask.tuple.source == no_address(ipv4)) &&
           (expectation.from_part || mask.tuple.source_part == 0);
}

Expectation::Nat parse_nat(ByteView bytes) {
    Expectation::Nat nat;
    each_attribute(bytes, [&nat](int type, ByteView content) {
        if (type == CTA_EXPECT_NAT_DIR) {
            nat.reply = u32_of(content) != 0;
        } else if (type == CTA_EXPECT_NAT_TUPLE) {
            const ParsedTuple parsed = parse_tuple(content);
            nat.address = parsed.tuple.source;
            nat.part = parsed.tuple.source_part;
        }
    });
    return nat;
}

void parse_small(int type, ByteView content, Expectation& expectation) {
    switch (type) {
        case CTA_EXPECT_TIMEOUT:
            expectation.timeout_s = u32_of(content);
            break;
        case CTA_EXPECT_FLAGS:
            expectation.flags =
                static_cast<std::uint8_t>(u32_of(content)) & conntrack::kExpectFlags;
            break;
        case CTA_EXPECT_CLASS:
            expectation.policy_class = static_cast<std::uint8_t>(u32_of(content));
            break;
        case CTA_EXPECT_HELP_NAME:
            expectation.helper = text_of(content);
            break;
        case CTA_EXPECT_FN:
            expectation.function = text_of(content);
            break;
        case CTA_EXPECT_NAT:
            expectation.nat = parse_nat(content);
            break;
        default:
            break;
    }
}

nlmsghdr* put_head(char* buffer, int type, int flags, const FlowKey& key) {
    nlmsghdr* const message =
        put_header(buffer, NFNL_SUBSYS_CTNETLINK_EXP, type, flags, key.original.source.is_v4());
    if (key.zone.id != 0) {
        put_u16(message, CTA_EXPECT_ZONE, key.zone.id);
    }
    return message;
}

void put_key_of(nlmsghdr* message, const FlowKey& key) {
    put_tuple(message, CTA_EXPECT_TUPLE, key.protocol, key.original);
}

// The kernel always requires and reports a full mask of the destination.
void put_mask(nlmsghdr* message, const Expectation& expectation) {
    const bool ipv4 = expectation.key.original.source.is_v4();
    Tuple mask;
    mask.source = expectation.from_address ? whole_address(ipv4) : no_address(ipv4);
    mask.destination = whole_address(ipv4);
    mask.source_part = expectation.from_part ? kWholePart : 0;
    mask.destination_part = kWholePart;
    put_tuple(message, CTA_EXPECT_MASK, expectation.key.protocol, mask);
}

void put_nat_of(nlmsghdr* message, const Expectation::Nat& nat, std::uint8_t protocol) {
    nlattr* const nest = mnl_attr_nest_start(message, CTA_EXPECT_NAT);
    put_u32(message, CTA_EXPECT_NAT_DIR, nat.reply ? 1 : 0);
    put_tuple(message, CTA_EXPECT_NAT_TUPLE, protocol,
              {nat.address, no_address(nat.address.is_v4()), nat.part, 0});
    mnl_attr_nest_end(message, nest);
}

}  // namespace

bool is_expectation_message(const nlmsghdr* message) {
    return message->nlmsg_type >> 8 == NFNL_SUBSYS_CTNETLINK_EXP;
}

std::optional<conntrack::ExpectationNews> parse_expectation_message(const nlmsghdr* message) {
    const int type = message->nlmsg_type & 0xff;
    if (!is_expectation_message(message) ||
        (type != IPCTNL_MSG_EXP_NEW && type != IPCTNL_MSG_EXP_DELETE) ||
        mnl_nlmsg_get_payload_len(message) < sizeof(nfgenmsg)) {
        return std::nullopt;
    }
    conntrack::ExpectationNews news;
    news.kind = type == IPCTNL_MSG_EXP_DELETE ? conntrack::ExpectationNews::Kind::ended
                                              : conntrack::ExpectationNews::Kind::made;
    Expectation& expectation = news.expectation;
    ParsedTuple tuple;
    ParsedTuple mask;
    ParsedTuple parent;
    each_attribute(attributes_of(message), [&](int attribute, ByteView content) {
        if (attribute == CTA_EXPECT_TUPLE) {
            tuple = parse_tuple(content);
        } else if (attribute == CTA_EXPECT_MASK) {
            mask = parse_tuple(content);
        } else if (attribute == CTA_EXPECT_MASTER) {
            parent = parse_tuple(content);
        } else {
            parse_small(attribute, content, expectation);
        }
    });
    if (tuple.addresses != 2 || mask.addresses != 2 || parent.addresses != 2) {
        return std::nullopt;
    }
    expectation.key = {tuple.protocol, {}, tuple.tuple};
    expectation.parent = {parent.protocol, {}, parent.tuple};
    if (!parse_mask(mask, expectation) || !conntrack::validate(expectation)) {
        return std::nullopt;
    }
    return news;
}

nlmsghdr* put_expectation(char* buffer, const Expectation& expectation) {
    nlmsghdr* const message =
        put_head(buffer, IPCTNL_MSG_EXP_NEW, NLM_F_CREATE | NLM_F_EXCL, expectation.key);
    put_tuple(message, CTA_EXPECT_MASTER, expectation.parent.protocol, expectation.parent.original);
    put_key_of(message, expectation.key);
    put_mask(message, expectation);
    put_u32(message, CTA_EXPECT_FLAGS, expectation.flags);
    if (conntrack::names_helper(expectation)) {
        mnl_attr_put_strz(message, CTA_EXPECT_HELP_NAME, expectation.helper.c_str());
        put_u32(message, CTA_EXPECT_CLASS, expectation.policy_class);
    }
    if (!expectation.function.empty()) {
        mnl_attr_put_strz(message, CTA_EXPECT_FN, expectation.function.c_str());
    }
    if (expectation.nat) {
        put_nat_of(message, *expectation.nat, expectation.parent.protocol);
    }
    return message;
}

nlmsghdr* put_expectation_timeout(char* buffer, const conntrack::Timeout& timeout) {
    nlmsghdr* const message = put_head(buffer, IPCTNL_MSG_EXP_NEW, 0, timeout.key);
    put_key_of(message, timeout.key);
    // The kernel requires both in any request of this type, and ignores both.
    put_tuple(message, CTA_EXPECT_MASK, timeout.key.protocol, timeout.key.original);
    put_tuple(message, CTA_EXPECT_MASTER, timeout.key.protocol, timeout.key.original);
    put_u32(message, CTA_EXPECT_TIMEOUT, timeout.seconds);
    return message;
}

nlmsghdr* put_expectation_removal(char* buffer, const FlowKey& key) {
    nlmsghdr* const message = put_head(buffer, IPCTNL_MSG_EXP_DELETE, 0, key);
    put_key_of(message, key);
    return message;
}

}  // namespace vpnha::adapters
