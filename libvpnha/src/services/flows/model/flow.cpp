// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/model/flow.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/ip_port.hpp"

namespace vpnha::conntrack {

namespace {

struct IcmpPair {
    std::uint8_t request;
    std::uint8_t reply;
};
// RFC 792 and 950: echo, timestamp, information, address mask.
constexpr std::array<IcmpPair, 4> kIcmpPairs{{{8, 0}, {13, 14}, {15, 16}, {17, 18}}};
// RFC 4443 and 4620: echo, node information.
constexpr std::array<IcmpPair, 2> kIcmpv6Pairs{{{128, 129}, {139, 140}}};

template <std::size_t Count>
std::uint16_t answer(const std::array<IcmpPair, Count>& pairs, std::uint16_t type_and_code) {
    const auto type = static_cast<std::uint8_t>(type_and_code >> 8);
    const auto with_type = [type_and_code](std::uint8_t other) {
        return static_cast<std::uint16_t>(other << 8 | (type_and_code & 0xff));
    };
    for (const auto& [request, reply] : pairs) {
        if (type == request) {
            return with_type(reply);
        }
        if (type == reply) {
            return with_type(request);
        }
    }
    return type_and_code;
}

std::string name_of(std::uint8_t protocol) {
    switch (protocol) {
        case kIcmp:
            return "icmp";
        case kTcp:
            return "tcp";
        case kUdp:
            return "udp";
        case kGre:
            return "gre";
        case kIcmpv6:
            return "icmpv6";
        default:
            return fmt::format("protocol {}", protocol);
    }
}

std::string end_of(std::uint8_t protocol, const IpAddress& address, std::uint16_t part) {
    if (!has_parts(protocol)) {
        return to_string(address);
    }
    return with_port(address, part);
}

}  // namespace

bool has_parts(std::uint8_t protocol) {
    switch (protocol) {
        case kIcmp:
        case kTcp:
        case kUdp:
        case kDccp:
        case kGre:
        case kIcmpv6:
        case kSctp:
        case kUdpLite:
            return true;
        default:
            return false;
    }
}

Tuple invert(std::uint8_t protocol, const Tuple& tuple) {
    if (protocol == kIcmp || protocol == kIcmpv6) {
        return {tuple.destination, tuple.source, tuple.source_part,
                protocol == kIcmp ? answer(kIcmpPairs, tuple.destination_part)
                                  : answer(kIcmpv6Pairs, tuple.destination_part)};
    }
    return {tuple.destination, tuple.source, tuple.destination_part, tuple.source_part};
}

std::string to_string(const FlowKey& key) {
    std::string text =
        fmt::format("{} {} > {}", name_of(key.protocol),
                    end_of(key.protocol, key.original.source, key.original.source_part),
                    end_of(key.protocol, key.original.destination, key.original.destination_part));
    if (key.zone.id != 0) {
        text += fmt::format(" zone {}", key.zone.id);
    }
    return text;
}

}  // namespace vpnha::conntrack
