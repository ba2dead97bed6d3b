// SPDX-License-Identifier: GPL-2.0-or-later
// PPP frames for tests, as a peer would send them.
#pragma once

#include "protocols/ppp/model/control_packet.hpp"

namespace vpnha::test {

inline Bytes ppp_frame(std::uint16_t protocol, std::uint8_t code, std::uint8_t id,
                       const Bytes& data = {}) {
    return ppp::encode_control_frame(
        static_cast<ppp::Protocol>(protocol),
        {.code = static_cast<ppp::Code>(code), .id = id, .data = data});
}

inline Bytes lcp(ppp::Code code, std::uint8_t id, const Bytes& data = {}) {
    return ppp_frame(0xc021, static_cast<std::uint8_t>(code), id, data);
}

inline Bytes ipcp(ppp::Code code, std::uint8_t id, const Bytes& data = {}) {
    return ppp_frame(0x8021, static_cast<std::uint8_t>(code), id, data);
}

// A frame taken apart, as far as tests look at it.
struct Frame {
    std::uint16_t protocol = 0;
    ppp::Code code{};
    std::uint8_t id = 0;
    Bytes data;
    friend bool operator==(const Frame&, const Frame&) = default;
};

inline Frame open_frame(const Bytes& bytes) {
    ByteReader reader(bytes);
    Frame frame;
    frame.protocol = reader.u16();
    if (const auto packet = ppp::parse_control_packet(reader.rest())) {
        frame.code = packet->code;
        frame.id = packet->id;
        frame.data.assign(packet->data.begin(), packet->data.end());
    }
    return frame;
}

}  // namespace vpnha::test
