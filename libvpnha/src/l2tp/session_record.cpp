// SPDX-License-Identifier: GPL-2.0-or-later
#include "l2tp/session_record.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.hpp"

namespace vpnha::l2tp {

namespace {

constexpr std::uint8_t kRecordVersion = 1;
constexpr std::uint16_t kMruMin = 128;
constexpr std::uint16_t kMruMax = 16384;
constexpr std::uint16_t kMtuMin = 68;  // RFC 791 3.2.

constexpr std::uint8_t kProtocolCompression = 0x01;
constexpr std::uint8_t kAddressCompression = 0x02;

constexpr std::uint8_t kEchoIsAdaptive = 0x01;

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

SessionKey read_key(ByteReader& reader) {
    SessionKey key;
    key.tunnel.local = read_endpoint(reader);
    key.tunnel.peer = read_endpoint(reader);
    key.tunnel.id = TunnelId{reader.u16()};
    key.tunnel.peer_id = TunnelId{reader.u16()};
    key.id = SessionId{reader.u16()};
    key.peer_id = SessionId{reader.u16()};
    return key;
}

void write_link(ByteWriter& writer, const ppp::LinkOptions& link) {
    const int flags = (link.protocol_compression ? kProtocolCompression : 0) |
                      (link.address_compression ? kAddressCompression : 0);
    writer.u16(link.mru).u32(link.magic).u32(link.asyncmap).u8(static_cast<std::uint8_t>(flags));
}

Result<ppp::LinkOptions> read_link(ByteReader& reader) {
    ppp::LinkOptions link;
    link.mru = reader.u16();
    link.magic = reader.u32();
    link.asyncmap = reader.u32();
    const std::uint8_t flags = reader.u8();
    if ((flags & ~(kProtocolCompression | kAddressCompression)) != 0) {
        return fail(Errc::malformed, fmt::format("session record: link flags {:#04x}", flags));
    }
    link.protocol_compression = (flags & kProtocolCompression) != 0;
    link.address_compression = (flags & kAddressCompression) != 0;
    return link;
}

void write_ipv6(ByteWriter& writer, const std::optional<ppp::Ipv6Identifiers>& ipv6) {
    writer.u64(ipv6 ? ipv6->ours : 0).u64(ipv6 ? ipv6->theirs : 0);
}

std::optional<ppp::Ipv6Identifiers> read_ipv6(ByteReader& reader) {
    ppp::Ipv6Identifiers ipv6;
    ipv6.ours = reader.u64();
    ipv6.theirs = reader.u64();
    return ipv6 == ppp::Ipv6Identifiers{} ? std::nullopt : std::optional(ipv6);
}

void write_routes(ByteWriter& writer, const std::vector<IpPrefix>& routes) {
    writer.u8(static_cast<std::uint8_t>(routes.size()));
    for (const IpPrefix& route : routes) {
        const ByteView octets = route.address.octets();
        writer.u8(static_cast<std::uint8_t>(octets.size())).u8(route.length).bytes(octets);
    }
}

Result<std::vector<IpPrefix>> read_routes(ByteReader& reader) {
    const std::size_t count = reader.u8();
    std::vector<IpPrefix> routes;
    for (std::size_t i = 0; i < count && reader.ok(); ++i) {
        const std::size_t octets = reader.u8();
        const std::uint8_t length = reader.u8();
        const auto address = ip_address_of(reader.take(octets));
        if (!address) {
            return fail(Errc::malformed, "session record: a route has no address");
        }
        routes.push_back({*address, length});
    }
    return routes;
}

Result<void> validate_routes(const std::vector<IpPrefix>& routes) {
    if (routes.size() > limits::kSessionRoutesMax) {
        return fail(Errc::malformed, fmt::format("session record: {} routes", routes.size()));
    }
    for (const IpPrefix& route : routes) {
        if (route.length == 0 || route.length > route.address.bits() ||
            route.address.masked(route.length) != route.address) {
            return fail(Errc::malformed,
                        fmt::format("session record: no route to {}", to_string(route)));
        }
    }
    return {};
}

// Neither "this network" (0/8) nor multicast, reserved or broadcast (224/3).
bool is_unicast(const Ipv4Address& address) {
    const std::uint32_t first = address.value >> 24;
    return first != 0 && first < 224;
}

Result<void> validate_key(const SessionKey& key) {
    if (key.tunnel.id.value == 0 || key.tunnel.peer_id.value == 0 || key.id.value == 0 ||
        key.peer_id.value == 0) {
        return fail(Errc::malformed, "session record: a tunnel or session id is 0");
    }
    for (const Ipv4Endpoint& endpoint : {key.tunnel.local, key.tunnel.peer}) {
        if (!is_unicast(endpoint.address) || endpoint.port == 0) {
            return fail(Errc::malformed, fmt::format("session record: {} is no unicast endpoint",
                                                     to_string(endpoint)));
        }
    }
    return {};
}

// It is printed, and it names a device at the node it came from.
bool is_interface_name(std::string_view name) {
    return name.size() <= limits::kInterfaceNameBytesMax &&
           std::all_of(name.begin(), name.end(),
                       [](char c) { return c > ' ' && c <= '~' && c != '/'; });
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
    VPNHA_CHECK(validate_key(key));
    return key;
}

Bytes encode_record(const SessionRecord& record) {
    ByteWriter writer;
    writer.u8(kRecordVersion);
    write_key(writer, record.key);
    write_link(writer, record.ours);
    write_link(writer, record.theirs);
    writer.u32(record.our_address.value).u32(record.peer_address.value);
    writer.u16(record.mtu);
    writer.u16(record.echo_interval_s).u16(record.echo_failures);
    writer.u8(record.echo_is_adaptive ? kEchoIsAdaptive : 0);
    writer.u64(record.established_unix_ms);
    writer.u32(record.timeouts.session_s).u32(record.timeouts.idle_s);
    writer.prefixed(record.obstacle);
    write_ipv6(writer, record.ipv6);
    write_routes(writer, record.routes);
    ppp::write_proxied(writer, record.proxied);
    writer.prefixed(record.user).prefixed(record.interface);
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
    VPNHA_TRY(record.ours, read_link(reader));
    VPNHA_TRY(record.theirs, read_link(reader));
    record.our_address = Ipv4Address{reader.u32()};
    record.peer_address = Ipv4Address{reader.u32()};
    record.mtu = reader.u16();
    record.echo_interval_s = reader.u16();
    record.echo_failures = reader.u16();
    const std::uint8_t echo_flags = reader.u8();
    if ((echo_flags & ~kEchoIsAdaptive) != 0) {
        return fail(Errc::malformed, fmt::format("session record: echo flags {:#04x}", echo_flags));
    }
    record.echo_is_adaptive = echo_flags != 0;
    record.established_unix_ms = reader.u64();
    record.timeouts.session_s = reader.u32();
    record.timeouts.idle_s = reader.u32();
    record.obstacle = to_text(reader.take_prefixed(limits::kObstacleBytesMax));
    record.ipv6 = read_ipv6(reader);
    VPNHA_TRY(record.routes, read_routes(reader));
    VPNHA_TRY(record.proxied, ppp::read_proxied(reader));
    record.user = to_text(reader.take_prefixed(limits::kUserNameBytesMax));
    record.interface = to_text(reader.take_prefixed(limits::kInterfaceNameBytesMax));
    if (!reader.finished()) {
        return fail(Errc::malformed, fmt::format("session record of {} octets", bytes.size()));
    }
    VPNHA_CHECK(validate(record));
    return record;
}

Result<void> validate(const SessionRecord& record) {
    VPNHA_CHECK(validate_key(record.key));
    for (const std::uint16_t mru : {record.ours.mru, record.theirs.mru}) {
        if (mru < kMruMin || mru > kMruMax) {
            return fail(Errc::malformed, fmt::format("session record: MRU {} is not in {}..{}", mru,
                                                     kMruMin, kMruMax));
        }
    }
    if (record.mtu < kMtuMin || record.mtu > kMruMax) {
        return fail(Errc::malformed, fmt::format("session record: MTU {} is not in {}..{}",
                                                 record.mtu, kMtuMin, kMruMax));
    }
    if (!is_unicast(record.our_address) || !is_unicast(record.peer_address) ||
        record.our_address == record.peer_address) {
        return fail(Errc::malformed,
                    fmt::format("session record: addresses {} and {} are no two unicast addresses",
                                to_string(record.our_address), to_string(record.peer_address)));
    }
    if (record.ipv6 && (record.ipv6->ours == 0 || record.ipv6->theirs == 0 ||
                        record.ipv6->ours == record.ipv6->theirs)) {
        return fail(Errc::malformed, "session record: no two interface identifiers of IPv6");
    }
    VPNHA_CHECK(validate_routes(record.routes));
    if (record.user.size() > limits::kUserNameBytesMax) {
        return fail(Errc::malformed,
                    fmt::format("session record: user name of {} octets", record.user.size()));
    }
    if (!is_interface_name(record.interface)) {
        return fail(Errc::malformed, "session record: no interface name");
    }
    return {};
}

std::string to_string(const SessionKey& key) {
    return fmt::format("{} tunnel {}/{} session {}/{}", to_string(key.tunnel.peer),
                       key.tunnel.id.value, key.tunnel.peer_id.value, key.id.value,
                       key.peer_id.value);
}

}  // namespace vpnha::l2tp
