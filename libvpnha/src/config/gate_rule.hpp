// SPDX-License-Identifier: GPL-2.0-or-later
// The packets that the gate has to recognise for a protocol, as data: the gate itself knows no
// protocol. A gateway that accepts no new clients (`vpnha drain`) drops what begins a session, so a
// protocol without a rule is not drained. Rules apply to the gateway's VIPs only, while the gate is
// open.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace vpnha::config {

struct GateRule {
    enum class Kind : std::uint8_t {
        begins = 1,  // An incoming packet begins a session.
        renews,      // An incoming packet begins a session, or renews that of a known client.
        continues,   // Outgoing, to clients with a session: they are known for `lasts`.
        ends,        // The end of a connection ends a session. TCP over IPv4, without words.
    };
    enum class Transport : std::uint8_t { tcp = 6, udp = 17 };
    // Octets of the packet, as a number: those of `mask` must equal those of `value`.
    struct Word {
        std::uint8_t offset;  // From the first octet of the header of TCP or UDP.
        std::uint32_t mask;
        std::uint32_t value;
    };
    static constexpr std::uint8_t kUdpPayload = 8;  // As an offset.

    Kind kind;
    Transport transport;
    std::uint16_t port;         // The gateway's.
    std::vector<Word> words{};  // All of them; at most 3, at offsets up to 24.
    std::chrono::seconds lasts{};
};

}  // namespace vpnha::config
