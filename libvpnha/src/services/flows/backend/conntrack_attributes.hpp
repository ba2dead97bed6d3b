// SPDX-License-Identifier: GPL-2.0-or-later
// The common parts of messages about flows and about expectations: attributes, tuples. Inline:
// reading an event is the innermost loop.
#pragma once

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "services/flows/model/flow.hpp"

namespace vpnha::adapters {

// Calls visit(type, content) for each attribute in `bytes`; ends at one that is longer than
// `bytes`. libmnl's iteration calls the library for each step.
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

// The octets after the header, which must be there.
inline ByteView attributes_of(const nlmsghdr* message) {
    return ByteView(static_cast<const std::uint8_t*>(mnl_nlmsg_get_payload(message)),
                    mnl_nlmsg_get_payload_len(message))
        .subspan(sizeof(nfgenmsg));
}

// Up to its terminator.
inline std::string text_of(ByteView content) {
    std::string text = to_text(content);
    text.resize(std::min(text.size(), text.find('\0')));
    return text;
}

inline std::uint16_t u16_of(ByteView content) {
    return ByteReader(content).u16();
}
inline std::uint32_t u32_of(ByteView content) {
    return ByteReader(content).u32();
}
inline std::uint8_t u8_of(ByteView content) {
    return ByteReader(content).u8();
}

struct ParsedTuple {
    conntrack::Tuple tuple;
    std::uint8_t protocol = 0;
    std::optional<std::uint16_t> zone;
    int addresses = 0;
};

inline void parse_addresses(ByteView bytes, ParsedTuple& parsed) {
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

inline void parse_parts(ByteView bytes, ParsedTuple& parsed) {
    conntrack::Tuple& tuple = parsed.tuple;
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

inline ParsedTuple parse_tuple(ByteView bytes) {
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

// Requests. libmnl's writers are calls as well, but injection takes the kernel longer.

inline nlmsghdr* put_header(char* buffer, int subsystem, int type, int flags, bool ipv4) {
    nlmsghdr* const message = mnl_nlmsg_put_header(buffer);
    message->nlmsg_type = static_cast<std::uint16_t>(subsystem << 8 | type);
    message->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    auto* const family =
        static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(nfgenmsg)));
    family->nfgen_family = ipv4 ? AF_INET : AF_INET6;
    family->version = NFNETLINK_V0;
    return message;
}

inline void put_address(nlmsghdr* message, int of_ipv4, int of_ipv6, const IpAddress& address) {
    const ByteView octets = address.octets();
    mnl_attr_put(message, static_cast<std::uint16_t>(address.is_v4() ? of_ipv4 : of_ipv6),
                 octets.size(), octets.data());
}

inline void put_u16(nlmsghdr* message, std::uint16_t type, std::uint16_t value) {
    mnl_attr_put_u16(message, type, htons(value));
}
inline void put_u32(nlmsghdr* message, std::uint16_t type, std::uint32_t value) {
    mnl_attr_put_u32(message, type, htonl(value));
}

inline void put_parts(nlmsghdr* message, std::uint8_t protocol, const conntrack::Tuple& tuple) {
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

inline void put_tuple(nlmsghdr* message, std::uint16_t type, std::uint8_t protocol,
                      const conntrack::Tuple& tuple, std::uint16_t zone = 0) {
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

}  // namespace vpnha::adapters
