// SPDX-License-Identifier: GPL-2.0-or-later
// L2TP sessions as clients of a real gateway have them: one tunnel and one session each, an address
// of a pool, a user name of 22 octets.
#pragma once

#include <fmt/format.h>

#include <cstdint>

#include "cluster/wire/record_key.hpp"
#include "protocols/l2tp/model/session_record.hpp"

namespace vpnha::bench {

inline constexpr GatewayId kGateway{1};

inline l2tp::SessionKey session_key(std::uint32_t number) {
    const auto id = static_cast<std::uint16_t>(number % 65'535 + 1);
    const Ipv4Endpoint vip{Ipv4Address{0xc0000201}, 1701};
    const Ipv4Endpoint client{Ipv4Address{0x0a000001 + number}, 1701};
    return {{vip, client, TunnelId{id}, TunnelId{7}}, SessionId{id}, SessionId{9}};
}

// Another generation is another payload of the same size.
inline l2tp::SessionRecord session_record(std::uint32_t number, std::uint32_t generation) {
    l2tp::SessionRecord record;
    record.key = session_key(number);
    record.facts.ours = {1400, 0x1000'0000U + number, 0, true, true};
    record.facts.theirs = {1400, 0x2000'0000U + number, 0xffff'ffff, true, true};
    record.facts.our_address = Ipv4Address{0x0afffffe};
    record.facts.peer_address = Ipv4Address{0x64400001 + number};
    record.facts.echo_interval_s = 30;
    record.facts.echo_failures = 4;
    record.facts.established_unix_ms = 1'700'000'000'000U + generation;
    record.facts.user = fmt::format("user{:06}@example.net", number % 1'000'000);
    record.facts.interface = fmt::format("ppp{}", number);
    return record;
}

inline wire::RecordKey record_key(std::uint32_t number) {
    return {wire::RecordType::l2tp_session, wire::RecordId(l2tp::encode_key(session_key(number)))};
}

}  // namespace vpnha::bench
