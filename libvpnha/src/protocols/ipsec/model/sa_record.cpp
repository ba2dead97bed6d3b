// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/model/sa_record.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.hpp"

namespace vpnha::ipsec {

namespace {

constexpr std::uint8_t kRecordVersion = 1;
// Of an IKE SA with further IKE_ADDs.
constexpr std::uint8_t kSeveralExchanges = 2;
constexpr std::uint8_t kInitiator = 1;
constexpr std::uint8_t kDead = 2;
constexpr std::uint8_t kHasHeir = 4;
constexpr std::uint8_t kChildless = 8;
constexpr std::uint8_t kEsn = 1;
constexpr std::uint32_t kWordBits = 32;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint16_t kPeerPort = 1701;  // RFC 2661 8.1.

void write_key(ByteWriter& out, const IkeKey& key) {
    out.u8(key.version).u64(key.spi_i).u64(key.spi_r);
}

// At most 255.
void write_messages(ByteWriter& out, const std::vector<Bytes>& messages) {
    out.u8(static_cast<std::uint8_t>(messages.size()));
    for (const Bytes& each : messages) {
        out.prefixed(each);
    }
}

Bytes read_bytes(ByteReader& in, std::size_t max) {
    const ByteView bytes = in.take_prefixed(max);
    return {bytes.begin(), bytes.end()};
}

std::vector<Bytes> read_messages(ByteReader& in) {
    std::vector<Bytes> messages;
    for (std::size_t left = in.u8(); left > 0 && in.ok(); --left) {
        messages.push_back(read_bytes(in, limits::kHaMessageBytesMax));
    }
    return messages;
}

IkeKey read_key(ByteReader& in) {
    IkeKey key;
    key.version = in.u8();
    key.spi_i = in.u64();
    key.spi_r = in.u64();
    if (key.version < 1 || key.version > 2) {
        in.fail();
    }
    return key;
}

bool is_about(const Result<HaMessage>& message, HaType type, const IkeId& id) {
    return message && message->type == type && message->ike_id() == id;
}

tl::unexpected<Error> malformed(std::string_view what) {
    return fail(Errc::malformed, fmt::format("{} cannot be read", what));
}

bool has_same_tags(const HaMessage& a, const HaMessage& b) {
    const auto tags = [](const HaMessage& message) {
        std::vector<HaTag> all;
        for (const Attribute& each : message.attributes) {
            all.push_back(each.tag);
        }
        std::ranges::sort(all);
        all.erase(std::unique(all.begin(), all.end()), all.end());
        return all;
    };
    return tags(a) == tags(b);
}

// The only UDP port that a selector permits.
std::optional<std::uint16_t> udp_port(const ChildSa& child, HaTag tag) {
    const auto message = parse_ha_message(child.add);
    const auto selector = message ? message->find(tag) : std::nullopt;
    if (!selector) {
        return std::nullopt;
    }
    ByteReader in(*selector);
    in.u8();  // The family.
    const std::uint8_t protocol = in.u8();
    const std::uint16_t from = in.u16();
    const std::uint16_t to = in.u16();
    return in.ok() && protocol == kUdp && from == to && from != 0 ? std::optional(from)
                                                                  : std::nullopt;
}

bool names_connection(const Bytes& update) {
    const Result<HaMessage> message = parse_ha_message(update);
    return message && message->find(HaTag::config_name);
}

bool has_known_tags(const Bytes& octets) {
    const Result<HaMessage> message = parse_ha_message(octets);
    return message && std::ranges::all_of(message->attributes, [](const Attribute& each) {
               return charon_tag(each.tag, kHaVersion).has_value();
           });
}

void assign(Bytes& to, const HaMessage& from, HaTag tag) {
    if (const auto value = from.find(tag)) {
        to.assign(value->begin(), value->end());
    }
}

}  // namespace

std::optional<std::uint16_t> own_port_of(const ChildSa& child) {
    return udp_port(child, HaTag::local_ts);
}

std::uint16_t peer_port_of(const ChildSa& child) {
    return udp_port(child, HaTag::remote_ts).value_or(kPeerPort);
}

std::vector<IpAddress> peer_hosts_of(const ChildSa& child) {
    std::vector<IpAddress> hosts;
    const Result<HaMessage> message = parse_ha_message(child.add);
    if (!message) {
        return hosts;
    }
    for (const Attribute& each : message->attributes) {
        if (each.tag != HaTag::remote_ts || each.value.size() < kSelectorHead) {
            continue;
        }
        const ByteView ends = each.value.subspan(kSelectorHead);
        const ByteView first = ends.first(ends.size() / 2);
        const std::optional<IpAddress> host = ip_address_of(first);
        if (host && std::ranges::equal(first, ends.subspan(first.size()))) {
            hosts.push_back(*host);
        }
    }
    return hosts;
}

Bytes encode_key(const IkeKey& key) {
    ByteWriter out;
    write_key(out, key);
    return std::move(out).take();
}

Bytes encode_spi(std::uint32_t spi) {
    ByteWriter out;
    out.u32(spi);
    return std::move(out).take();
}

Result<IkeKey> parse_ike_key(ByteView id) {
    ByteReader in(id);
    const IkeKey key = read_key(in);
    if (!in.finished()) {
        return malformed("an IKE SA's id");
    }
    return key;
}

Result<std::uint32_t> parse_spi(ByteView id) {
    ByteReader in(id);
    const std::uint32_t spi = in.u32();
    if (!in.finished() || spi == 0) {
        return malformed("a CHILD SA's id");
    }
    return spi;
}

Bytes encode_record(const IkeSa& sa) {
    ByteWriter out;
    out.u8(sa.further.empty() ? kRecordVersion : kSeveralExchanges);
    out.u8(static_cast<std::uint8_t>((sa.id.initiator ? kInitiator : 0) | (sa.dead ? kDead : 0) |
                                     (sa.heir ? kHasHeir : 0) | (sa.childless ? kChildless : 0)));
    out.u64(sa.order).u64(sa.established_unix_ms).prefixed(sa.add);
    write_messages(out, sa.updates);
    out.u32(sa.mid_initiator).u32(sa.mid_responder).prefixed(sa.iv);
    if (!sa.further.empty()) {
        write_messages(out, sa.further);
    }
    if (sa.heir) {
        write_key(out, *sa.heir);
    }
    return std::move(out).take();
}

Result<IkeSa> parse_ike_sa(ByteView id, ByteView payload) {
    VPNHA_TRY(const IkeKey key, parse_ike_key(id));
    ByteReader in(payload);
    const std::uint8_t version = in.u8();
    if (in.ok() && version != kRecordVersion && version != kSeveralExchanges) {
        return fail(Errc::unsupported, fmt::format("an IKE SA's record of version {}", version));
    }
    IkeSa sa;
    const std::uint8_t flags = in.u8();
    sa.id = {key, (flags & kInitiator) != 0};
    sa.dead = (flags & kDead) != 0;
    sa.childless = (flags & kChildless) != 0;
    sa.order = in.u64();
    sa.established_unix_ms = in.u64();
    sa.add = read_bytes(in, limits::kHaMessageBytesMax);
    sa.updates = read_messages(in);
    sa.mid_initiator = in.u32();
    sa.mid_responder = in.u32();
    sa.iv = read_bytes(in, limits::kIkeIvBytesMax);
    if (version == kSeveralExchanges) {
        sa.further = read_messages(in);
    }
    if ((flags & kHasHeir) != 0) {
        sa.heir = read_key(in);
    }
    if (!in.finished() || flags > (kInitiator | kDead | kHasHeir | kChildless) ||
        (sa.dead && !sa.heir) || sa.heir == key || sa.updates.size() > limits::kIkeUpdatesMax ||
        (version == kSeveralExchanges && sa.further.empty()) ||
        sa.further.size() > limits::kIkeAddsFurtherMax || sa.order > limits::kCounterMax) {
        return malformed("an IKE SA's record");
    }
    const auto is_add = [&sa](const Bytes& add) {
        return is_about(parse_ha_message(add), HaType::ike_add, sa.id);
    };
    if (!is_add(sa.add) || !std::ranges::all_of(sa.further, is_add)) {
        return malformed("an IKE_ADD of an IKE SA's record");
    }
    IkeSa as_emitted;
    for (const Bytes& update : sa.updates) {
        if (!is_about(parse_ha_message(update), HaType::ike_update, sa.id)) {
            return malformed("an IKE_UPDATE of an IKE SA's record");
        }
        add_update(as_emitted, update);
    }
    if (as_emitted.updates != sa.updates || !is_established(sa)) {
        return malformed("what an IKE SA's record has of its IKE_UPDATEs");
    }
    return sa;
}

Bytes encode_record(const ChildSa& child) {
    ByteWriter out;
    out.u8(kRecordVersion).u32(child.spi_out).u64(child.order);
    write_key(out, child.made);
    write_key(out, child.owner);
    out.u16(child.port).prefixed(child.add);
    return std::move(out).take();
}

Result<ChildSa> parse_child_sa(ByteView id, ByteView payload) {
    ChildSa child;
    VPNHA_TRY(child.spi, parse_spi(id));
    ByteReader in(payload);
    const std::uint8_t version = in.u8();
    if (in.ok() && version != kRecordVersion) {
        return fail(Errc::unsupported, fmt::format("a CHILD SA's record of version {}", version));
    }
    child.spi_out = in.u32();
    child.order = in.u64();
    child.made = read_key(in);
    child.owner = read_key(in);
    child.port = in.u16();
    const ByteView add = in.take_prefixed(limits::kHaMessageBytesMax);
    child.add.assign(add.begin(), add.end());
    if (!in.finished() || child.order > limits::kCounterMax) {
        return malformed("a CHILD SA's record");
    }
    const Result<HaMessage> message = parse_ha_message(child.add);
    const auto maker = message ? message->ike_id() : std::nullopt;
    if (!maker || message->type != HaType::child_add || maker->key != child.made ||
        message->spi(HaTag::inbound_spi) != child.spi ||
        message->spi(HaTag::outbound_spi) != child.spi_out) {
        return malformed("the CHILD_ADD of a CHILD SA's record");
    }
    const bool is_private = child.port >= limits::kPrivatePortFirst &&
                            child.port < limits::kPrivatePortFirst + limits::kPrivatePorts;
    if (child.port != 0 && (!is_private || !own_port_of(child))) {
        return malformed("the port of a CHILD SA's record");
    }
    return child;
}

Bytes encode_record(const EspCounters& counters) {
    ByteWriter out;
    out.u8(kRecordVersion).u8(counters.esn ? kEsn : 0).u64(counters.oseq).u64(counters.seq);
    out.u64(counters.born).u32(counters.window);
    for (const std::uint32_t word : counters.bitmap) {
        out.u32(word);
    }
    return std::move(out).take();
}

Result<EspCounters> parse_esp_counters(ByteView id, ByteView payload) {
    EspCounters counters;
    VPNHA_TRY(counters.spi, parse_spi(id));
    ByteReader in(payload);
    const std::uint8_t version = in.u8();
    if (in.ok() && version != kRecordVersion) {
        return fail(Errc::unsupported, fmt::format("ESP counters of version {}", version));
    }
    const std::uint8_t flags = in.u8();
    counters.esn = flags == kEsn;
    counters.oseq = in.u64();
    counters.seq = in.u64();
    counters.born = in.u64();
    counters.window = in.u32();
    while (in.ok() && in.remaining() != 0) {
        counters.bitmap.push_back(in.u32());
    }
    if (!in.finished() || flags > kEsn ||
        counters.bitmap.size() > limits::kReplayWindowMax / kWordBits) {
        return malformed("a record of ESP counters");
    }
    return counters;
}

bool is_known_to(const IkeSa& sa, std::uint8_t charon_version) {
    // The second IKE_ADD alone has no tag that is new.
    return charon_version != kHaVersion || (sa.further.empty() && has_known_tags(sa.add));
}

bool is_known_to(const ChildSa& child, std::uint8_t charon_version) {
    return charon_version != kHaVersion || has_known_tags(child.add);
}

bool is_established(const IkeSa& sa) {
    return std::ranges::any_of(sa.updates, names_connection);
}

void add_update(IkeSa& sa, ByteView update) {
    const Result<HaMessage> message = parse_ha_message(update);
    std::erase_if(sa.updates, [&message](const Bytes& before) {
        const Result<HaMessage> parsed = parse_ha_message(before);
        return message && parsed && has_same_tags(*parsed, *message);
    });
    if (sa.updates.size() == limits::kIkeUpdatesMax) {
        const auto unnamed = std::ranges::find_if_not(sa.updates, names_connection);
        sa.updates.erase(unnamed != sa.updates.end() ? unnamed : sa.updates.begin());
    }
    // charon reserves an address in the connection's pool, so it must know the connection first.
    // The newest update is last among those that name the connection, and among the others.
    const auto at = message && message->find(HaTag::config_name)
                        ? std::ranges::find_if_not(sa.updates, names_connection)
                        : sa.updates.end();
    sa.updates.insert(at, Bytes(update.begin(), update.end()));
}

void inherit(IkeSa& heir, const IkeSa& old) {
    heir.established_unix_ms = old.established_unix_ms;
    heir.childless = old.childless;
    const std::vector<Bytes> vips = peer_of(old).vips;
    if (!vips.empty() && peer_of(heir).vips.empty()) {
        add_update(heir, build_vips(heir.id, vips));
    }
}

std::optional<IkeKey> predecessor_of(const IkeSa& sa) {
    const Result<HaMessage> add = parse_ha_message(sa.add);
    const auto old = add ? add->ike_id(HaTag::ike_rekey_id) : std::nullopt;
    return old && old->key != sa.id.key ? std::optional(old->key) : std::nullopt;
}

IkePeer peer_of(const IkeSa& sa) {
    IkePeer peer;
    for (const Bytes& update : sa.updates) {
        const Result<HaMessage> message = parse_ha_message(update);
        if (!message) {
            continue;
        }
        assign(peer.local_id, *message, HaTag::local_id);
        assign(peer.remote_id, *message, HaTag::remote_id);
        assign(peer.eap_id, *message, HaTag::remote_eap_id);
        assign(peer.local, *message, HaTag::local_address);
        assign(peer.remote, *message, HaTag::remote_address);
        if (message->find(HaTag::config_name)) {
            peer.connection = message->text(HaTag::config_name);
        }
        if (message->find(HaTag::remote_vip)) {
            peer.vips.clear();
        }
        for (const Attribute& each : message->attributes) {
            if (each.tag == HaTag::remote_vip) {
                peer.vips.emplace_back(each.value.begin(), each.value.end());
            }
        }
    }
    if (peer.eap_id.empty()) {
        peer.eap_id = peer.remote_id;  // It has only one identity.
    }
    return peer;
}

Bytes adoption_key(const IkeSa& sa) {
    if (sa.id.key.version != 1) {
        return {};
    }
    const IkePeer peer = peer_of(sa);
    ByteWriter out;
    for (const Bytes* each :
         {&peer.local, &peer.remote, &peer.local_id, &peer.remote_id, &peer.eap_id}) {
        out.prefixed(ByteView(*each));
    }
    return std::move(out.bytes(to_bytes(peer.connection))).take();
}

}  // namespace vpnha::ipsec
