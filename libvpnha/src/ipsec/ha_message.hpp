// SPDX-License-Identifier: GPL-2.0-or-later
// Messages of strongSwan's ha plugin, version 3 (all of 5.9): what a charon says of its SAs, and
// what a passive one is told. The version in front, a type, and attributes: a tag each and a value,
// the length of which follows from the tag.
//
// What a tag's value is has to be known for all of them, or nothing behind it can be read: another
// version, type or tag is refused. What was parsed is built with the very same octets.
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
};

// Its value is of variable length and holds keys, or what keys are made of. An IV is public.
[[nodiscard]] bool is_secret(HaTag tag);

struct Attribute {
    HaTag tag{};
    // What stands behind the tag; of a secret, and of an IV, without its length.
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
    bool initiator = false;  // charon is.
    friend bool operator==(const IkeId&, const IkeId&) = default;
};

// The octets that it was parsed from must outlive it.
struct HaMessage {
    HaType type{};
    std::vector<Attribute> attributes;

    // The first one of that tag; nullopt: there is none.
    [[nodiscard]] std::optional<ByteView> find(HaTag tag) const;
    // nullopt: there is none, or its value cannot be one.
    [[nodiscard]] std::optional<IkeId> ike_id(HaTag tag = HaTag::ike_id) const;
    [[nodiscard]] std::optional<std::uint32_t> u32(HaTag tag) const;
    // As everybody else counts them: the plugin turns their octets round.
    [[nodiscard]] std::optional<std::uint32_t> spi(HaTag tag) const;
    [[nodiscard]] std::string text(HaTag tag) const;
};

struct HaHost {
    IpAddress address;
    std::uint16_t port = 0;
    friend bool operator==(const HaHost&, const HaHost&) = default;
};

// Unsupported: of another version, or of a type or with a tag that version 3 does not have.
// Malformed: cut short, or with octets left over. Limit: longer than limits::kHaMessageBytesMax.
[[nodiscard]] Result<HaMessage> parse_ha_message(ByteView bytes);
[[nodiscard]] Bytes build_ha_message(HaType type, std::span<const Attribute> attributes);

// Values of attributes.
[[nodiscard]] std::optional<HaHost> parse_host(ByteView value);
[[nodiscard]] Bytes build_host(const HaHost& host);
// "192.0.2.1:4500", "[2001:db8::1]:4500"
[[nodiscard]] std::string to_string(const HaHost& host);
// "fd@example.org", "192.0.2.1", or its type and octets where it has no other text.
[[nodiscard]] std::string identity_text(ByteView value);

// What a charon is told of an IKE SA that it has.
[[nodiscard]] Bytes build_mid(HaType type, const IkeId& id, std::uint32_t mid);
[[nodiscard]] Bytes build_iv(const IkeId& id, ByteView iv);
// The addresses of its client, in place of those that it has. Each is the value of an attribute.
[[nodiscard]] Bytes build_vips(const IkeId& id, std::span<const Bytes> vips);
[[nodiscard]] Bytes build_ike_delete(const IkeId& id);
[[nodiscard]] Bytes build_child_delete(const IkeId& owner, std::uint32_t inbound_spi);

}  // namespace vpnha::ipsec
