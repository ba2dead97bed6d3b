// SPDX-License-Identifier: GPL-2.0-or-later
// A peer of WireGuard, as a record has it.
#pragma once

#include "protocols/wireguard/model/peer_record.hpp"

namespace vpnha::wireguard::test {

inline IpPrefix net(std::string_view text) {
    return parse_ip_prefix(text).value_or(IpPrefix{});
}

inline Endpoint endpoint(std::string_view address, std::uint16_t port) {
    return {parse_ip(address).value_or(IpAddress{}), port};
}

// The key of peer `number`: 01 02 03 … with the number at its end.
inline PublicKey sample_key(std::uint32_t number = 1) {
    PublicKey key;
    for (std::size_t i = 0; i < key.octets.size(); ++i) {
        key.octets.at(i) = static_cast<std::uint8_t>(i + 1);
    }
    for (std::size_t i = 0; i < sizeof number; ++i) {
        key.octets.at(kKeyBytes - 1 - i) = static_cast<std::uint8_t>(number >> 8 * i);
    }
    return key;
}

inline Peer sample_peer(std::uint32_t number = 1) {
    return {.key = sample_key(number),
            .sealed_preshared = Bytes(72, 0x5e),
            .allowed = {net("10.200.9.7/32"), net("2001:db8:9::/64")},
            .endpoint = endpoint("192.0.2.51", 40123),
            .keepalive_s = 25};
}

inline PeerTraffic sample_traffic() {
    return {.last_handshake_unix_ms = 1'767'225'600'000, .octets_in = 4096, .octets_out = 65'536};
}

}  // namespace vpnha::wireguard::test
