// SPDX-License-Identifier: GPL-2.0-or-later
// The replicated state of one PPTP call (RFC 2637) with its PPP link, in two records of one
// identity. The negotiated part is static from ip-up to ip-down, and sent once. Its numbers change
// with each packet, and are sent in batches: a successor learns newer ones from the client.
//
// The start keys of MPPE decrypt the whole session, past and future. A record has them sealed; only
// the data path of a node opens them.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "protocols/ppp/model/session_facts.hpp"

namespace vpnha::pptp {

using CallId = StrongId<struct CallIdTag, std::uint16_t>;  // RFC 2637 2.7; pptpd's first one is 0.

struct CallKey {
    Ipv4Endpoint local;  // The VIP and the port clients dial (1723).
    Ipv4Endpoint peer;   // As the gateway sees it: behind NAT the NAT's.
    CallId id{};         // Ours: the peer writes it into its packets.
    CallId peer_id{};    // The peer's: we write it into our packets.
    friend auto operator<=>(const CallKey&, const CallKey&) = default;
};

// Of stateless MPPE (RFC 3078); the length of its keys in bits.
enum class Mppe : std::uint8_t { none = 0, bits40 = 40, bits56 = 56, bits128 = 128 };

// The options agreed on in the SYNs of the control connection.
struct TcpOptions {
    std::uint16_t mss = 536;  // The smaller of both.
    bool window_scaling = false;
    std::uint8_t our_scale = 0;
    std::uint8_t peer_scale = 0;
    bool sack = false;
    bool timestamps = false;
    friend bool operator==(const TcpOptions&, const TcpOptions&) = default;
};

struct CallRecord {
    CallKey key;
    TcpOptions tcp;
    Mppe mppe = Mppe::none;
    // With MPPE: the start key of what we send (16 octets) and of what the peer sends (16), sealed
    // as one secret in the context seal_context().
    Bytes sealed_keys;
    ppp::SessionFacts facts;
    friend bool operator==(const CallRecord&, const CallRecord&) = default;
};

// The numbers of a call, as its gateway had them at one moment.
struct CallNumbers {
    // TCP, the gateway's end of the control connection (RFC 9293).
    std::uint32_t snd_nxt = 0;
    std::uint32_t rcv_nxt = 0;
    std::uint32_t snd_wnd = 0;     // In octets, scaled.
    std::uint32_t tsval = 0;       // Ours at that moment (RFC 7323); a tick is a millisecond.
    std::uint32_t peer_tsval = 0;  // The peer's last one.
    // The peer's last PPTP Echo-Request; open: it was not answered yet.
    std::uint32_t echo_id = 0;
    bool echo_open = false;
    // The peer has ended the call: Call-Clear-Request, Stop-Control-Connection-Request, or its FIN.
    bool hung_up = false;
    bool stop_open = false;  // Its Stop-Control-Connection-Request has no reply.
    // The peer has sent data and never an acknowledgement, as Android's PPTP up to 11.
    bool never_acknowledges = false;
    // GRE: the last number sent, and the last one received.
    std::uint32_t gre_out = 0;
    std::uint32_t gre_in = 0;
    // MPPE: the index of the next packet, from 0 on; its low 12 bits are the coherency count.
    std::uint64_t mppe_out = 0;
    std::uint64_t mppe_in = 0;
    friend bool operator==(const CallNumbers&, const CallNumbers&) = default;
};

struct CallState {
    CallKey key;
    CallNumbers numbers;
};

// A sealed secret opens only together with the key of its call.
[[nodiscard]] Bytes seal_context(const CallKey& key);

// The identity of both records; at most limits::kRecordIdBytesMax octets.
[[nodiscard]] Bytes encode_key(const CallKey& key);
[[nodiscard]] Result<CallKey> parse_key(ByteView bytes);

// A call as pppd's plugin names it (docs/reference/plugin-protocol.md).
struct PluginIds {
    CallKey key;
    Mppe mppe = Mppe::none;
    // With MPPE its start keys, of what we send and of what the peer sends. They lie in the parsed
    // octets, and are valid as long as these. The caller seals them to keep them.
    ByteView keys;
};
// `local`: this end of the control connection, which the plugin does not know.
[[nodiscard]] Result<PluginIds> parse_plugin_ids(ByteView octets, const Ipv4Endpoint& local);

// Wire format v1, docs/reference/wire-format.md. A record that parses is also sane: addresses are
// unicast, its facts are sane, keys are there exactly with MPPE.
[[nodiscard]] Bytes encode_record(const CallRecord& record);
[[nodiscard]] Result<CallRecord> parse_record(ByteView bytes);
[[nodiscard]] Bytes encode_numbers(const CallNumbers& numbers);
[[nodiscard]] Result<CallNumbers> parse_numbers(ByteView bytes);

// The same checks for a record from another source (the plugin).
[[nodiscard]] Result<void> validate(const CallRecord& record);

[[nodiscard]] std::string to_string(const CallKey& key);  // "192.0.2.51:40123 call 128/7"

}  // namespace vpnha::pptp
