// SPDX-License-Identifier: GPL-2.0-or-later
// Messages of strongSwan's ha plugin: charon's reports about its SAs, and the feed of a passive
// charon. A message has a version, a type, and attributes. Each attribute has a tag and a value,
// and the tag determines the length.
//
// The parser must know every tag to find the next one: another version, type or tag is refused. A
// parsed message is built again with the very same octets.
//
// Each charon accepts its own version only. Records, replicas and images use one dialect, whatever
// the node's charon is: version 3, and two tags after those of version 3. Only CharonRelay, which
// exchanges messages with a charon, translates them with parse_charon_message() and charon_tag().
// Widths and types are the same in all versions:
//
//   version | strongSwan     | tags
//   --------+----------------+--------------------------------------------------------------
//   3       | 5.9, 6.0.0     | 1 to 41
//   4       | 6.0.1          | 1 to 43; add_secret is 18 and alg_add_kes 26
//   5       | 6.0.2 to 6.1.0 | as 4; conditions and extensions come twice, the second ones with
//           |                | bit 31: private to one plugin, and not kept
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "vpnha/result.hpp"

namespace vpnha::ipsec {

inline constexpr std::uint8_t kHaVersion = 3;
inline constexpr std::uint8_t kCharonVersionMax = 5;

enum class HaType : std::uint8_t {
    ike_add = 1,
    ike_update,
    ike_mid_initiator,
    ike_mid_responder,
    ike_delete,
    child_add,
    child_delete,
    segment_drop,
    segment_take,
    status,
    resync,
    ike_iv,
};

enum class HaTag : std::uint8_t {
    ike_id = 1,
    ike_rekey_id,
    local_id,
    remote_id,
    remote_eap_id,
    local_address,
    remote_address,
    config_name,
    conditions,
    extensions,
    local_vip,
    remote_vip,
    peer_address,
    initiator,
    nonce_i,
    nonce_r,
    secret,
    old_skd,
    alg_prf,
    alg_old_prf,
    alg_encr,
    alg_encr_len,
    alg_integ,
    alg_dh,
    ipsec_mode,
    ipcomp,
    inbound_spi,
    outbound_spi,
    inbound_cpi,
    outbound_cpi,
    local_ts,
    remote_ts,
    mid,
    segment,
    esn,
    ike_version,
    local_dh,
    remote_dh,
    psk,
    iv,
    auth_method,
    // Of several key exchanges (RFC 9370).
    add_secret,
    alg_add_kes,
};

// Its value has a variable length and holds keys, or material for keys. An IV is public.
[[nodiscard]] bool is_secret(HaTag tag);
// A length of 2 octets precedes its value.
[[nodiscard]] bool is_prefixed(HaTag tag);

struct Attribute {
    HaTag tag{};
    // The octets after the tag; for a prefixed one without its length.
    ByteView value;
    friend bool operator==(const Attribute& a, const Attribute& b) {
        return a.tag == b.tag &&
               std::equal(a.value.begin(), a.value.end(), b.value.begin(), b.value.end());
    }
};

struct IkeKey {
    std::uint8_t version = 0;  // Of IKE: 1 or 2.
    std::uint64_t spi_i = 0;
    std::uint64_t spi_r = 0;
    friend auto operator<=>(const IkeKey&, const IkeKey&) = default;
};

struct IkeId {
    IkeKey key;
    bool initiator = false;  // charon is the initiator.
    friend bool operator==(const IkeId&, const IkeId&) = default;
};

// The octets that it was parsed from must outlive it.
struct HaMessage {
    HaType type{};
    std::vector<Attribute> attributes;

    // The first value of that tag; nullopt: there is none.
    [[nodiscard]] std::optional<ByteView> find(HaTag tag) const;
    // nullopt: there is no such tag, or its value is invalid.
    [[nodiscard]] std::optional<IkeId> ike_id(HaTag tag = HaTag::ike_id) const;
    [[nodiscard]] std::optional<std::uint32_t> u32(HaTag tag) const;
    // In the usual order: the plugin swaps the octets.
    [[nodiscard]] std::optional<std::uint32_t> spi(HaTag tag) const;
    [[nodiscard]] std::string text(HaTag tag) const;
};

struct HaHost {
    IpAddress address;
    std::uint16_t port = 0;
    friend bool operator==(const HaHost&, const HaHost&) = default;
};

// Unsupported: another version, or a type or a tag that the dialect does not have. Malformed: cut
// short, or with octets left over. Limit: longer than limits::kHaMessageBytesMax.
[[nodiscard]] Result<HaMessage> parse_ha_message(ByteView bytes);
[[nodiscard]] Bytes build_ha_message(HaType type, std::span<const Attribute> attributes);

struct CharonMessage {
    std::uint8_t version = 0;  // Charon's.
    HaMessage message;         // In the dialect.
};
// Parses a message from charon. Errors: as parse_ha_message().
[[nodiscard]] Result<CharonMessage> parse_charon_message(ByteView bytes);
// The tag's number in messages of that version; nullopt: its charons do not know the tag.
[[nodiscard]] std::optional<std::uint8_t> charon_tag(HaTag tag, std::uint8_t version);

// Values of attributes.
[[nodiscard]] std::optional<HaHost> parse_host(ByteView value);
[[nodiscard]] Bytes build_host(const HaHost& host);
// "192.0.2.1:4500", "[2001:db8::1]:4500"
[[nodiscard]] std::string to_string(const HaHost& host);
// "fd@example.org", "192.0.2.1", or its type and octets where it has no other text.
[[nodiscard]] std::string identity_text(ByteView value);
// The octets of a name, as a RADIUS server knows it; otherwise the same as identity_text().
[[nodiscard]] std::string identity_name(ByteView value);

// Messages for a charon that has the IKE SA.
[[nodiscard]] Bytes build_mid(HaType type, const IkeId& id, std::uint32_t mid);
[[nodiscard]] Bytes build_iv(const IkeId& id, ByteView iv);
// Replaces the addresses of its client. Each is the value of an attribute.
[[nodiscard]] Bytes build_vips(const IkeId& id, std::span<const Bytes> vips);
[[nodiscard]] Bytes build_ike_delete(const IkeId& id);
[[nodiscard]] Bytes build_child_delete(const IkeId& owner, std::uint32_t inbound_spi);

}  // namespace vpnha::ipsec
