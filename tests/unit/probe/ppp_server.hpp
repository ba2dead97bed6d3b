// SPDX-License-Identifier: GPL-2.0-or-later
// The other half of a PPP link, as a test speaks it: frames from the protocol number on.
#pragma once

#include <string>

#include "base/internet_checksum.hpp"
#include "probe/ppp_login.hpp"

namespace vpnha::probe::ppp_server {

using ppp::Code;
using ppp::Protocol;

inline constexpr Ipv4Address kServerAddress{0x0ac80001};
inline constexpr Ipv4Address kGivenAddress{0x0ac80105};

inline PppAccount account_of(const std::string& name = "probe",
                             const std::string& secret = "secret") {
    auto octets = adapters::SecretBytes::with_room(secret.size());
    static_cast<void>(octets->append(to_bytes(secret)));
    return {name, std::move(*octets)};
}

inline Bytes frame(Protocol protocol, Code code, std::uint8_t id, const Bytes& data = {}) {
    return ppp::encode_control_frame(protocol, {code, id, data});
}
inline Bytes frame(Protocol protocol, int code, std::uint8_t id, const Bytes& data = {}) {
    return frame(protocol, static_cast<Code>(code), id, data);
}

struct Asked {
    Protocol protocol{};
    Code code{};
    std::uint8_t id = 0;
    Bytes data{};
};
inline Asked open(const Bytes& bytes) {
    ByteReader reader(bytes);
    Asked asked{.protocol = static_cast<Protocol>(reader.u16())};
    if (const auto packet = ppp::parse_control_packet(reader.rest())) {
        asked.code = packet->code;
        asked.id = packet->id;
        asked.data.assign(packet->data.begin(), packet->data.end());
    }
    return asked;
}

// A Configure-Request of pppd: MRU, a login, a magic number; "" of `login`: none.
inline Bytes lcp_request(std::uint8_t id, const Bytes& login = {3, 5, 0xc2, 0x23, 5}) {
    Bytes options{1, 4, 5, 0x78, 5, 6, 1, 2, 3, 4};
    options.insert(options.begin() + 4, login.begin(), login.end());
    return frame(Protocol::lcp, Code::configure_request, id, options);
}

inline Bytes address_option(Ipv4Address address) {
    ByteWriter writer;
    writer.u8(3).u8(6).u32(address.value);
    return std::move(writer).take();
}

// The answer to an echo request.
inline Bytes reply_to(const Bytes& ping) {
    Bytes reply = ping;
    std::swap_ranges(reply.begin() + 14, reply.begin() + 18, reply.begin() + 18);
    reply[22] = 0;
    return reply;
}

}  // namespace vpnha::probe::ppp_server
