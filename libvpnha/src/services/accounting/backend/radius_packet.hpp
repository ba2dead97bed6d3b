// SPDX-License-Identifier: GPL-2.0-or-later
// The common parts of all RADIUS packets (RFC 2865 3): the header, attributes, and digests with the
// shared secret. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>

#include "base/bytes.hpp"

namespace vpnha::adapters {

// Code, identifier, length and authenticator; attributes follow.
inline constexpr std::size_t kRadiusLengthOffset = 2;
inline constexpr std::size_t kRadiusAuthenticatorOffset = 4;
inline constexpr std::size_t kRadiusHeaderBytes = 20;
inline constexpr std::size_t kRadiusPacketBytesMax = 4096;
inline constexpr std::size_t kRadiusValueBytesMax = 253;  // Of an attribute.

// An authenticator, and its source: the 16 octets of an MD5.
using RadiusDigest = std::array<std::uint8_t, kRadiusHeaderBytes - kRadiusAuthenticatorOffset>;

// RFC 2865, 2866, 2868, 2869, 3162, 4818, 5176, 6911.
enum class RadiusType : std::uint8_t {
    user_name = 1,
    nas_ip_address = 4,
    service_type = 6,
    framed_protocol = 7,
    framed_ip_address = 8,
    filter_id = 11,
    reply_message = 18,
    class_ = 25,
    vendor_specific = 26,
    session_timeout = 27,
    idle_timeout = 28,
    calling_station_id = 31,
    nas_identifier = 32,
    proxy_state = 33,
    acct_status_type = 40,
    acct_delay_time = 41,
    acct_input_octets = 42,
    acct_output_octets = 43,
    acct_session_id = 44,
    acct_session_time = 46,
    acct_input_packets = 47,
    acct_output_packets = 48,
    acct_terminate_cause = 49,
    acct_input_gigawords = 52,
    acct_output_gigawords = 53,
    event_timestamp = 55,
    nas_port_type = 61,
    tunnel_type = 64,
    tunnel_client_endpoint = 66,
    message_authenticator = 80,
    framed_interface_id = 96,
    framed_ipv6_prefix = 97,
    error_cause = 101,
    delegated_ipv6_prefix = 123,
    framed_ipv6_address = 168,
};

class RadiusAttributes {
  public:
    // Appends to `writer`, which must outlive it.
    explicit RadiusAttributes(ByteWriter& writer) : writer_(writer) {}

    // No effect if it is empty; cut off if it is too long.
    void add(RadiusType type, ByteView octets);
    void add(RadiusType type, const std::string& text);
    // A counter of 32 bits stays at its maximum, rather than wraps.
    void add(RadiusType type, std::uint64_t number);

  private:
    ByteWriter& writer_;
};

// nullopt: this machine's libcrypto has no MD5.
[[nodiscard]] std::optional<RadiusDigest> md5(std::initializer_list<ByteView> parts);
// HMAC-MD5 (RFC 2104): the value of a Message-Authenticator.
[[nodiscard]] std::optional<RadiusDigest> hmac_md5(ByteView key,
                                                   std::initializer_list<ByteView> parts);
// Takes constant time. False: there is no digest, or the octets differ.
[[nodiscard]] bool is_digest(const std::optional<RadiusDigest>& digest, ByteView octets);

// The packet in `datagram` that answers that request: by its identifier, cut to its stated length.
// Empty: it is none.
[[nodiscard]] ByteView answer_in(ByteView datagram, ByteView request);
// The Response Authenticator of such a packet (RFC 2865 3) is right: a digest of the answer, of the
// request's authenticator, and of the secret.
[[nodiscard]] bool is_signed_answer(ByteView answer, ByteView request, ByteView secret);

}  // namespace vpnha::adapters
