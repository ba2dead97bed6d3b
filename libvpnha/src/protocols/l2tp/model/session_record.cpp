// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/model/session_record.hpp"

#include <fmt/format.h>

#include <utility>

namespace vpnha::l2tp {

namespace {

constexpr std::uint8_t kRecordVersion = 1;

void write_endpoint(ByteWriter& writer, const Ipv4Endpoint& endpoint) {
    writer.u32(endpoint.address.value).u16(endpoint.port);
}

Ipv4Endpoint read_endpoint(ByteReader& reader) {
    const Ipv4Address address{reader.u32()};
    return Ipv4Endpoint{address, reader.u16()};
}

void write_key(ByteWriter& writer, const SessionKey& key) {
    write_endpoint(writer, key.tunnel.local);
    write_endpoint(writer, key.tunnel.peer);
    writer.u16(key.tunnel.id.value).u16(key.tunnel.peer_id.value);
    writer.u16(key.id.value).u16(key.peer_id.value);
}

void read_ids(ByteReader& reader, SessionKey& key) {
    key.tunnel.id = TunnelId{reader.u16()};
    key.tunnel.peer_id = TunnelId{reader.u16()};
    key.id = SessionId{reader.u16()};
    key.peer_id = SessionId{reader.u16()};
}

SessionKey read_key(ByteReader& reader) {
    SessionKey key;
    key.tunnel.local = read_endpoint(reader);
    key.tunnel.peer = read_endpoint(reader);
    read_ids(reader, key);
    return key;
}

Result<void> validate(const SessionKey& key) {
    if (key.tunnel.id.value == 0 || key.tunnel.peer_id.value == 0 || key.id.value == 0 ||
        key.peer_id.value == 0) {
        return fail(Errc::malformed, "session record: a tunnel or session id is 0");
    }
    for (const Ipv4Endpoint& endpoint : {key.tunnel.local, key.tunnel.peer}) {
        if (!is_unicast(endpoint)) {
            return fail(Errc::malformed, fmt::format("session record: {} is no unicast endpoint",
                                                     to_string(endpoint)));
        }
    }
    return {};
}

}  // namespace

Bytes encode_key(const SessionKey& key) {
    ByteWriter writer;
    write_key(writer, key);
    return std::move(writer).take();
}

Result<SessionKey> parse_key(ByteView bytes) {
    ByteReader reader(bytes);
    const SessionKey key = read_key(reader);
    if (!reader.finished()) {
        return fail(Errc::malformed, fmt::format("session key of {} octets", bytes.size()));
    }
    VPNHA_CHECK(validate(key));
    return key;
}

Result<SessionKey> parse_plugin_ids(ByteView ids, const Ipv4Endpoint& local) {
    ByteReader reader(ids);
    SessionKey key;
    key.tunnel.local = local;
    key.tunnel.peer = read_endpoint(reader);
    read_ids(reader, key);
    if (!reader.finished()) {
        return fail(Errc::malformed, fmt::format("ids of L2TP of {} octets", ids.size()));
    }
    VPNHA_CHECK(validate(key));
    return key;
}

Bytes encode_record(const SessionRecord& record) {
    ByteWriter writer;
    writer.u8(kRecordVersion);
    write_key(writer, record.key);
    ppp::write_facts(writer, record.facts);
    return std::move(writer).take();
}

Result<SessionRecord> parse_record(ByteView bytes) {
    ByteReader reader(bytes);
    const std::uint8_t version = reader.u8();
    if (reader.ok() && version != kRecordVersion) {
        return fail(Errc::unsupported, fmt::format("session record of version {}", version));
    }
    SessionRecord record;
    record.key = read_key(reader);
    record.facts = ppp::read_facts(reader);
    if (!reader.finished()) {
        return fail(Errc::malformed, fmt::format("session record of {} octets", bytes.size()));
    }
    VPNHA_CHECK(validate(record));
    return record;
}

Result<void> validate(const SessionRecord& record) {
    VPNHA_CHECK(validate(record.key));
    return ppp::validate(record.facts);
}

std::string to_string(const SessionKey& key) {
    return fmt::format("{} tunnel {}/{} session {}/{}", to_string(key.tunnel.peer),
                       key.tunnel.id.value, key.tunnel.peer_id.value, key.id.value,
                       key.peer_id.value);
}

}  // namespace vpnha::l2tp
