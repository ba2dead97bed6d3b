// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/model/session_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/limits.hpp"

namespace vpnha::ppp {

namespace {

constexpr std::uint16_t kMruMax = 16384;
constexpr std::uint16_t kMtuMin = 68;  // RFC 791 3.2.

constexpr unsigned kOurProtocolCompression = 0x01;
constexpr unsigned kOurAddressCompression = 0x02;
constexpr unsigned kTheirProtocolCompression = 0x04;
constexpr unsigned kTheirAddressCompression = 0x08;
constexpr unsigned kEchoIsAdaptive = 0x10;
constexpr unsigned kIpv6IsOpen = 0x20;
constexpr unsigned kHasRate = 0x40;
constexpr unsigned kFlags = 0x7f;

std::uint8_t flags_of(const SessionFacts& facts) {
    const auto flag = [](bool is_set, unsigned bit) { return is_set ? bit : 0U; };
    return static_cast<std::uint8_t>(
        flag(facts.ours.protocol_compression, kOurProtocolCompression) |
        flag(facts.ours.address_compression, kOurAddressCompression) |
        flag(facts.theirs.protocol_compression, kTheirProtocolCompression) |
        flag(facts.theirs.address_compression, kTheirAddressCompression) |
        flag(facts.echo_is_adaptive, kEchoIsAdaptive) | flag(facts.ipv6.has_value(), kIpv6IsOpen) |
        flag(facts.rate.is_limited(), kHasRate));
}

void write_link(ByteWriter& writer, const LinkOptions& link) {
    writer.u16(link.mru).u32(link.magic).u32(link.asyncmap);
}

void read_link(ByteReader& reader, LinkOptions& link) {
    link.mru = reader.u16();
    link.magic = reader.u32();
    link.asyncmap = reader.u32();
}

void write_address(ByteWriter& writer, const IpAddress& address) {
    const ByteView octets = address.octets();
    writer.u8(static_cast<std::uint8_t>(octets.size())).bytes(octets);
}

IpAddress read_address(ByteReader& reader) {
    const auto address = ip_address_of(reader.take(reader.u8()));
    if (!address) {
        reader.fail();
    }
    return address.value_or(IpAddress{});
}

Rate read_rate(ByteReader& reader) {
    Rate rate;
    rate.down = reader.u64();
    rate.up = reader.u64();
    if (!rate.is_limited()) {
        reader.fail();  // It would be written without.
    }
    return rate;
}

void read_routes(ByteReader& reader, std::vector<IpPrefix>& routes) {
    for (std::size_t left = reader.u8(); left > 0 && reader.ok(); --left) {
        const IpAddress address = read_address(reader);
        routes.push_back({address, reader.u8()});
    }
}

void read_proxied(ByteReader& reader, std::vector<ProxiedAddress>& proxied) {
    for (std::size_t left = reader.u8(); left > 0 && reader.ok(); --left) {
        const std::size_t side = reader.u8();
        if (side >= kLinkSideCount) {
            reader.fail();
        }
        proxied.push_back({static_cast<LinkSide>(side), read_address(reader)});
    }
}

Result<void> validate_sizes(const SessionFacts& facts) {
    for (const auto& [size, size_min] :
         {std::pair{facts.ours.mru, kMruMin}, {facts.theirs.mru, kMruMin}, {facts.mtu, kMtuMin}}) {
        if (size < size_min || size > kMruMax) {
            return fail(Errc::malformed, fmt::format("PPP session: an MRU or MTU of {}, not {}..{}",
                                                     size, size_min, kMruMax));
        }
    }
    return {};
}

Result<void> validate_addresses(const SessionFacts& facts) {
    if (!is_unicast(facts.our_address) || !is_unicast(facts.peer_address) ||
        facts.our_address == facts.peer_address) {
        return fail(Errc::malformed,
                    fmt::format("PPP session: addresses {} and {} are no two unicast addresses",
                                to_string(facts.our_address), to_string(facts.peer_address)));
    }
    if (facts.ipv6 && (facts.ipv6->ours == 0 || facts.ipv6->theirs == 0 ||
                       facts.ipv6->ours == facts.ipv6->theirs)) {
        return fail(Errc::malformed, "PPP session: no two interface identifiers of IPv6");
    }
    if (!is_sound(facts.rate)) {
        return fail(Errc::malformed, "PPP session: a rate out of bounds");
    }
    return {};
}

Result<void> validate_networks(const SessionFacts& facts) {
    if (facts.routes.size() > limits::kSessionRoutesMax ||
        facts.proxied.size() > limits::kSessionProxiedMax) {
        return fail(Errc::malformed, fmt::format("PPP session: {} routes and {} proxied addresses",
                                                 facts.routes.size(), facts.proxied.size()));
    }
    for (const IpPrefix& route : facts.routes) {
        if (route.length == 0 || route.length > route.address.bits() ||
            route.address.masked(route.length) != route.address) {
            return fail(Errc::malformed,
                        fmt::format("PPP session: no route to {}", to_string(route)));
        }
    }
    return {};
}

// It is printed, and it names a device of the node that negotiated the session.
bool is_interface_name(std::string_view name) {
    return name.size() <= limits::kInterfaceNameBytesMax &&
           std::all_of(name.begin(), name.end(),
                       [](char c) { return c > ' ' && c <= '~' && c != '/'; });
}

}  // namespace

void write_facts(ByteWriter& writer, const SessionFacts& facts) {
    write_link(writer, facts.ours);
    write_link(writer, facts.theirs);
    writer.u32(facts.our_address.value).u32(facts.peer_address.value);
    writer.u16(facts.mtu).u16(facts.echo_interval_s).u16(facts.echo_failures);
    writer.u8(flags_of(facts)).u64(facts.established_unix_ms);
    writer.u32(facts.timeouts.session_s).u32(facts.timeouts.idle_s);
    if (facts.rate.is_limited()) {
        writer.u64(facts.rate.down).u64(facts.rate.up);
    }
    if (facts.ipv6) {
        writer.u64(facts.ipv6->ours).u64(facts.ipv6->theirs);
    }
    writer.u8(static_cast<std::uint8_t>(facts.routes.size()));
    for (const IpPrefix& route : facts.routes) {
        write_address(writer, route.address);
        writer.u8(route.length);
    }
    writer.u8(static_cast<std::uint8_t>(facts.proxied.size()));
    for (const ProxiedAddress& each : facts.proxied) {
        writer.u8(static_cast<std::uint8_t>(each.side));
        write_address(writer, each.address);
    }
    writer.prefixed(facts.obstacle).prefixed(facts.user).prefixed(facts.interface);
}

SessionFacts read_facts(ByteReader& reader) {
    SessionFacts facts;
    read_link(reader, facts.ours);
    read_link(reader, facts.theirs);
    facts.our_address = Ipv4Address{reader.u32()};
    facts.peer_address = Ipv4Address{reader.u32()};
    facts.mtu = reader.u16();
    facts.echo_interval_s = reader.u16();
    facts.echo_failures = reader.u16();
    const unsigned flags = reader.u8();
    facts.ours.protocol_compression = (flags & kOurProtocolCompression) != 0;
    facts.ours.address_compression = (flags & kOurAddressCompression) != 0;
    facts.theirs.protocol_compression = (flags & kTheirProtocolCompression) != 0;
    facts.theirs.address_compression = (flags & kTheirAddressCompression) != 0;
    facts.echo_is_adaptive = (flags & kEchoIsAdaptive) != 0;
    facts.established_unix_ms = reader.u64();
    facts.timeouts.session_s = reader.u32();
    facts.timeouts.idle_s = reader.u32();
    if ((flags & kHasRate) != 0) {
        facts.rate = read_rate(reader);
    }
    if ((flags & kIpv6IsOpen) != 0) {
        facts.ipv6.emplace();
        facts.ipv6->ours = reader.u64();
        facts.ipv6->theirs = reader.u64();
    }
    read_routes(reader, facts.routes);
    read_proxied(reader, facts.proxied);
    facts.obstacle = to_text(reader.take_prefixed(limits::kObstacleBytesMax));
    facts.user = to_text(reader.take_prefixed(limits::kUserNameBytesMax));
    facts.interface = to_text(reader.take_prefixed(limits::kInterfaceNameBytesMax));
    if ((flags & ~kFlags) != 0) {
        reader.fail();
    }
    return facts;
}

Result<void> validate(const SessionFacts& facts) {
    VPNHA_CHECK(validate_sizes(facts));
    VPNHA_CHECK(validate_addresses(facts));
    VPNHA_CHECK(validate_networks(facts));
    if (facts.user.size() > limits::kUserNameBytesMax) {
        return fail(Errc::malformed,
                    fmt::format("PPP session: user name of {} octets", facts.user.size()));
    }
    if (!is_interface_name(facts.interface)) {
        return fail(Errc::malformed, "PPP session: no interface name");
    }
    return {};
}

}  // namespace vpnha::ppp
