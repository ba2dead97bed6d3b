// SPDX-License-Identifier: GPL-2.0-or-later
// L2TP messages for tests, as a peer would send them, and hostile ones.
#pragma once

#include <optional>
#include <string>

#include "protocols/l2tp/model/control_message.hpp"
#include "protocols/l2tp/model/session_record.hpp"

namespace vpnha::test {

// L2tpPacket(type).to(tunnel, session).numbers(ns, nr).u16(avp, value).bytes()
class L2tpPacket {
  public:
    // Without a type: a ZLB, or whatever is added.
    L2tpPacket() = default;
    explicit L2tpPacket(l2tp::MessageType type) { u16(0, static_cast<std::uint16_t>(type)); }

    L2tpPacket& to(std::uint16_t tunnel, std::uint16_t session = 0) {
        header_.tunnel = TunnelId{tunnel};
        header_.session = SessionId{session};
        return *this;
    }
    L2tpPacket& numbers(std::uint16_t ns, std::uint16_t nr) {
        header_.ns = l2tp::Seq16{ns};
        header_.nr = l2tp::Seq16{nr};
        return *this;
    }
    L2tpPacket& avp(const l2tp::Avp& avp) {
        l2tp::write_avp(avps_, avp);
        return *this;
    }
    L2tpPacket& u16(std::uint16_t type, std::uint16_t value) {
        const Bytes octets{static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
        return avp({.type = type, .value = octets});
    }
    L2tpPacket& raw(const Bytes& bytes) {
        avps_.bytes(bytes);
        return *this;
    }

    [[nodiscard]] Bytes bytes() const { return l2tp::encode_control(header_, avps_.view()); }

  private:
    l2tp::ControlHeader header_;
    ByteWriter avps_;
};

// What an endpoint sent, taken apart.
struct L2tpSent {
    l2tp::ControlHeader header;
    std::optional<l2tp::MessageType> type;  // nullopt: a ZLB.
    std::optional<std::uint16_t> result;
    std::optional<std::uint16_t> assigned_session;
    Bytes avps;  // Everything behind the header.
};

inline L2tpSent open_datagram(const Bytes& bytes) {
    L2tpSent sent;
    if (const auto message = l2tp::parse_control(bytes)) {
        sent.header = message->header;
        sent.avps.assign(bytes.begin() + 12, bytes.end());
        if (!message->is_zlb()) {
            sent.type = message->type();
            sent.result = message->u16(l2tp::AvpType::result_code);
            sent.assigned_session = message->u16(l2tp::AvpType::assigned_session_id);
        }
    }
    return sent;
}

// "HELLO(ns 0, nr 0)", for comparisons that read.
inline std::string describe(const Bytes& datagram) {
    const L2tpSent sent = open_datagram(datagram);
    std::string text = sent.type ? to_string(*sent.type) : "ZLB";
    if (sent.header.session.value != 0) {
        text += " to " + std::to_string(sent.header.session.value);
    }
    if (sent.result) {
        text += " result " + std::to_string(*sent.result);
    }
    return text + " ns " + std::to_string(sent.header.ns.value) + " nr " +
           std::to_string(sent.header.nr.value);
}

inline const l2tp::TunnelKey kTunnel{{Ipv4Address{0xc0000264}, 1701},
                                     {Ipv4Address{0xc0000233}, 1701},
                                     TunnelId{0x1111},
                                     TunnelId{0x2222}};

// A session of kTunnel: ids `id` and `id` + 100.
inline l2tp::SessionRecord session_record(std::uint16_t id = 1) {
    l2tp::SessionRecord record;
    record.key = {kTunnel, SessionId{id}, SessionId{static_cast<std::uint16_t>(id + 100)}};
    record.facts.ours = {.mru = 1400, .magic = 0x0a0a0a0a, .protocol_compression = true};
    record.facts.theirs = {.mru = 1410, .magic = 0x0b0b0b0b, .address_compression = true};
    record.facts.our_address = Ipv4Address{0x0ac80001};
    record.facts.peer_address = Ipv4Address{0x0ac80100U + id};
    record.facts.echo_interval_s = 5;
    record.facts.echo_failures = 3;
    record.facts.established_unix_ms = 1'700'000'000'000;
    record.facts.user = "alice";
    record.facts.interface = "ppp0";
    return record;
}

}  // namespace vpnha::test
