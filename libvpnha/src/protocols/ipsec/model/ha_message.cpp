// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/model/ha_message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/ip_port.hpp"
#include "base/limits.hpp"

namespace vpnha::ipsec {

namespace {

constexpr std::size_t kIkeIdBytes = 1 + 8 + 8 + 1;
// The plugin writes Linux's numbers of address families.
constexpr std::uint8_t kInet = 2;
constexpr std::uint8_t kInet6 = 10;
// Traffic selectors: RFC 7296 3.13.1.
constexpr std::uint8_t kIpv4Range = 7;
constexpr std::uint8_t kIpv6Range = 8;
// Identities: RFC 7296 3.5.
constexpr std::uint8_t kIdIpv4 = 1;
constexpr std::uint8_t kIdFqdn = 2;
constexpr std::uint8_t kIdRfc822 = 3;
constexpr std::uint8_t kIdIpv6 = 5;

std::size_t take_host(ByteReader in) {
    in.u16();
    switch (in.u8()) {
        case kInet:
            return 2 + 1 + 4;
        case kInet6:
            return 2 + 1 + 16;
        default:
            return 0;
    }
}

std::size_t take_selector(ByteReader in) {
    constexpr std::size_t kHead = 1 + 1 + 2 + 2 + 1;
    switch (in.u8()) {
        case kIpv4Range:
            return kHead + 2 * 4;
        case kIpv6Range:
            return kHead + 2 * 16;
        default:
            return 0;
    }
}

std::size_t take_text(ByteView rest) {
    const auto end = std::ranges::find(rest, 0);
    return end == rest.end() ? 0 : static_cast<std::size_t>(end - rest.begin()) + 1;
}

// The size of a tag's value at the front of `rest` in octets; 0: it cannot be read.
std::size_t value_size(HaTag tag, ByteView rest) {
    ByteReader in(rest);
    switch (tag) {
        case HaTag::ike_id:
        case HaTag::ike_rekey_id:
            return kIkeIdBytes;
        case HaTag::local_id:
        case HaTag::remote_id:
        case HaTag::remote_eap_id:
            in.u8();
            return std::size_t{2} + in.u8();
        case HaTag::local_address:
        case HaTag::remote_address:
        case HaTag::local_vip:
        case HaTag::remote_vip:
        case HaTag::peer_address:
            return take_host(in);
        case HaTag::config_name:
            return take_text(rest);
        case HaTag::ike_version:
        case HaTag::initiator:
        case HaTag::ipsec_mode:
        case HaTag::ipcomp:
            return 1;
        case HaTag::alg_dh:
        case HaTag::alg_prf:
        case HaTag::alg_old_prf:
        case HaTag::alg_encr:
        case HaTag::alg_encr_len:
        case HaTag::alg_integ:
        case HaTag::inbound_cpi:
        case HaTag::outbound_cpi:
        case HaTag::segment:
        case HaTag::esn:
        case HaTag::auth_method:
            return 2;
        case HaTag::conditions:
        case HaTag::extensions:
        case HaTag::inbound_spi:
        case HaTag::outbound_spi:
        case HaTag::mid:
            return 4;
        case HaTag::local_ts:
        case HaTag::remote_ts:
            return take_selector(in);
        default:
            return 0;
    }
}

constexpr auto kLastOfVersion3 = static_cast<std::uint8_t>(HaTag::auth_method);
constexpr auto kLast = static_cast<std::uint8_t>(HaTag::alg_add_kes);
// The positions where version 4 inserted the two new tags.
constexpr std::uint8_t kAddSecret = 18;
constexpr std::uint8_t kAlgAddKes = 26;
constexpr std::uint32_t kPrivateBit = 0x80000000;

std::optional<HaTag> tag_of_dialect(std::uint8_t number) {
    return number >= 1 && number <= kLast ? std::optional(static_cast<HaTag>(number))
                                          : std::nullopt;
}

std::optional<HaTag> tag_of_charon(std::uint8_t number, std::uint8_t version) {
    for (std::uint8_t each = 1; each <= kLast; ++each) {
        if (charon_tag(static_cast<HaTag>(each), version) == number) {
            return static_cast<HaTag>(each);
        }
    }
    return std::nullopt;
}

bool is_private(const Attribute& attribute) {
    return (attribute.tag == HaTag::conditions || attribute.tag == HaTag::extensions) &&
           (ByteReader(attribute.value).u32() & kPrivateBit) != 0;
}

struct OwnedAttribute {
    HaTag tag;
    Bytes value;
};

Bytes id_octets(const IkeId& id) {
    ByteWriter out;
    out.u8(id.key.version).u64(id.key.spi_i).u64(id.key.spi_r).u8(id.initiator ? 1 : 0);
    return std::move(out).take();
}

Bytes build_about(HaType type, const IkeId& id, const std::optional<OwnedAttribute>& what) {
    const Bytes octets = id_octets(id);
    std::vector<Attribute> attributes{{HaTag::ike_id, octets}};
    if (what) {
        attributes.push_back({what->tag, what->value});
    }
    return build_ha_message(type, attributes);
}

}  // namespace

bool is_secret(HaTag tag) {
    switch (tag) {
        case HaTag::nonce_i:
        case HaTag::nonce_r:
        case HaTag::secret:
        case HaTag::add_secret:
        case HaTag::old_skd:
        case HaTag::local_dh:
        case HaTag::remote_dh:
        case HaTag::psk:
            return true;
        default:
            return false;
    }
}

bool is_prefixed(HaTag tag) {
    return tag == HaTag::iv || tag == HaTag::alg_add_kes || is_secret(tag);
}

std::optional<ByteView> HaMessage::find(HaTag tag) const {
    const auto found = std::ranges::find(attributes, tag, &Attribute::tag);
    return found == attributes.end() ? std::nullopt : std::optional(found->value);
}

std::optional<IkeId> HaMessage::ike_id(HaTag tag) const {
    const auto value = find(tag);
    if (!value) {
        return std::nullopt;
    }
    ByteReader in(*value);
    IkeId id;
    id.key.version = in.u8();
    id.key.spi_i = in.u64();
    id.key.spi_r = in.u64();
    const std::uint8_t initiator = in.u8();
    id.initiator = initiator != 0;
    if (!in.finished() || id.key.version < 1 || id.key.version > 2 || initiator > 1) {
        return std::nullopt;
    }
    return id;
}

std::optional<std::uint32_t> HaMessage::u32(HaTag tag) const {
    const auto value = find(tag);
    if (!value || value->size() != 4) {
        return std::nullopt;
    }
    return ByteReader(*value).u32();
}

std::optional<std::uint32_t> HaMessage::spi(HaTag tag) const {
    const auto turned = u32(tag);
    return turned ? std::optional(__builtin_bswap32(*turned)) : std::nullopt;
}

std::string HaMessage::text(HaTag tag) const {
    const auto value = find(tag);
    return value && !value->empty() ? to_text(value->first(value->size() - 1)) : std::string();
}

namespace {

// Parses what follows the version. `tag_of` converts a number to a tag.
template <class TagOf>
Result<HaMessage> parse_behind_version(ByteView bytes, const TagOf& tag_of) {
    if (bytes.size() > limits::kHaMessageBytesMax) {
        return fail(Errc::limit, fmt::format("an HA message of {} octets", bytes.size()));
    }
    ByteReader in(bytes);
    in.u8();
    const std::uint8_t type = in.u8();
    if (!in.ok()) {
        return fail(Errc::malformed, "an HA message is cut short");
    }
    HaMessage message;
    message.type = static_cast<HaType>(type);
    if (message.type < HaType::ike_add || message.type > HaType::ike_iv) {
        return fail(Errc::unsupported, fmt::format("an HA message of type {}", type));
    }
    while (in.remaining() != 0) {
        const std::uint8_t number = in.u8();
        const std::optional<HaTag> tag = tag_of(number);
        if (!tag) {
            return fail(Errc::unsupported,
                        fmt::format("an HA message with an attribute {}", number));
        }
        ByteView value;
        if (is_prefixed(*tag)) {
            value = in.take_prefixed(limits::kHaMessageBytesMax);
        } else {
            const std::size_t size = value_size(*tag, bytes.last(in.remaining()));
            value = in.take(size);
            if (size == 0) {
                in.fail();
            }
        }
        if (!in.ok()) {
            return fail(Errc::malformed,
                        fmt::format("an HA message's attribute {} is cut short", number));
        }
        message.attributes.push_back({*tag, value});
    }
    return message;
}

}  // namespace

Result<HaMessage> parse_ha_message(ByteView bytes) {
    if (!bytes.empty() && bytes[0] != kHaVersion) {
        return fail(Errc::unsupported,
                    fmt::format("an HA message of version {} in a record", bytes[0]));
    }
    return parse_behind_version(bytes, tag_of_dialect);
}

Result<CharonMessage> parse_charon_message(ByteView bytes) {
    CharonMessage parsed;
    parsed.version = bytes.empty() ? kHaVersion : bytes[0];
    if (parsed.version < kHaVersion || parsed.version > kCharonVersionMax) {
        return fail(Errc::unsupported,
                    fmt::format("charon's HA messages are of version {}; this release knows {} to "
                                "{}, those of strongSwan 5.9 to 6.1",
                                parsed.version, kHaVersion, kCharonVersionMax));
    }
    VPNHA_TRY(parsed.message, parse_behind_version(bytes, [&](std::uint8_t number) {
                  return tag_of_charon(number, parsed.version);
              }));
    if (parsed.version == kCharonVersionMax) {
        std::erase_if(parsed.message.attributes, is_private);
    }
    return parsed;
}

std::optional<std::uint8_t> charon_tag(HaTag tag, std::uint8_t version) {
    const auto number = static_cast<std::uint8_t>(tag);
    if (version == kHaVersion) {
        return number <= kLastOfVersion3 ? std::optional(number) : std::nullopt;
    }
    if (tag == HaTag::add_secret) {
        return kAddSecret;
    }
    if (tag == HaTag::alg_add_kes) {
        return kAlgAddKes;
    }
    const int behind_secret = number < kAddSecret ? number : number + 1;
    return static_cast<std::uint8_t>(behind_secret < kAlgAddKes ? behind_secret
                                                                : behind_secret + 1);
}

Bytes build_ha_message(HaType type, std::span<const Attribute> attributes) {
    ByteWriter out;
    out.u8(kHaVersion).u8(static_cast<std::uint8_t>(type));
    for (const Attribute& each : attributes) {
        out.u8(static_cast<std::uint8_t>(each.tag));
        if (is_prefixed(each.tag)) {
            out.prefixed(each.value);
        } else {
            out.bytes(each.value);
        }
    }
    return std::move(out).take();
}

std::optional<HaHost> parse_host(ByteView value) {
    ByteReader in(value);
    HaHost host;
    host.port = in.u16();
    const std::uint8_t family = in.u8();
    const auto address = ip_address_of(in.rest());
    if (!in.ok() || !address || family != (address->is_v4() ? kInet : kInet6)) {
        return std::nullopt;
    }
    host.address = *address;
    return host;
}

Bytes build_host(const HaHost& host) {
    ByteWriter out;
    out.u16(host.port).u8(host.address.is_v4() ? kInet : kInet6).bytes(host.address.octets());
    return std::move(out).take();
}

std::string to_string(const HaHost& host) {
    return with_port(host.address, host.port);
}

std::string identity_text(ByteView value) {
    if (value.size() < 2) {
        return {};
    }
    const std::uint8_t type = value[0];
    const ByteView data = value.subspan(2);
    const auto address = ip_address_of(data);
    if ((type == kIdIpv4 || type == kIdIpv6) && address) {
        return to_string(*address);
    }
    const bool printable =
        std::ranges::all_of(data, [](std::uint8_t c) { return c > 32 && c < 127; });
    if ((type == kIdFqdn || type == kIdRfc822) && printable) {
        return to_text(data);
    }
    return fmt::format("{}:{}", type, to_hex(data));
}

std::string identity_name(ByteView value) {
    const bool is_name = value.size() > 2 && (value[0] == kIdFqdn || value[0] == kIdRfc822);
    return is_name ? to_text(value.subspan(2)) : identity_text(value);
}

Bytes build_mid(HaType type, const IkeId& id, std::uint32_t mid) {
    ByteWriter value;
    value.u32(mid);
    return build_about(type, id, OwnedAttribute{HaTag::mid, std::move(value).take()});
}

Bytes build_iv(const IkeId& id, ByteView iv) {
    return build_about(HaType::ike_iv, id, OwnedAttribute{HaTag::iv, {iv.begin(), iv.end()}});
}

Bytes build_vips(const IkeId& id, std::span<const Bytes> vips) {
    const Bytes octets = id_octets(id);
    std::vector<Attribute> attributes{{HaTag::ike_id, octets}};
    for (const Bytes& vip : vips) {
        attributes.push_back({HaTag::remote_vip, vip});
    }
    return build_ha_message(HaType::ike_update, attributes);
}

Bytes build_ike_delete(const IkeId& id) {
    return build_about(HaType::ike_delete, id, std::nullopt);
}

Bytes build_child_delete(const IkeId& owner, std::uint32_t inbound_spi) {
    ByteWriter value;
    value.u32(__builtin_bswap32(inbound_spi));
    return build_about(HaType::child_delete, owner,
                       OwnedAttribute{HaTag::inbound_spi, std::move(value).take()});
}

}  // namespace vpnha::ipsec
