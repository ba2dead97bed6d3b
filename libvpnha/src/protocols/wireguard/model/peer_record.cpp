// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/wireguard/model/peer_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/ip_port.hpp"
#include "protocols/wireguard/model/limits.hpp"

namespace vpnha::wireguard {

namespace {

constexpr std::uint8_t kPeerVersion = 1;
constexpr std::uint8_t kTrafficVersion = 1;
constexpr std::string_view kSealPurpose = "wireguard preshared key ";
constexpr std::uint8_t kNoAddress = 0;

void write_address(ByteWriter& writer, const IpAddress& address) {
    const ByteView octets = address.octets();
    writer.u8(static_cast<std::uint8_t>(octets.size())).bytes(octets);
}

IpAddress read_address(ByteReader& reader, std::uint8_t size) {
    const auto address = ip_address_of(reader.take(size));
    if (!address) {
        reader.fail();
    }
    return address.value_or(IpAddress{});
}

std::vector<IpPrefix> read_allowed(ByteReader& reader) {
    const std::uint16_t count = reader.u16();
    if (count > limits::kWireguardAllowedIpsMax) {
        reader.fail();
    }
    std::vector<IpPrefix> allowed;
    for (std::uint16_t i = 0; reader.ok() && i < count; ++i) {
        const IpAddress address = read_address(reader, reader.u8());
        allowed.push_back({address, reader.u8()});
    }
    return allowed;
}

std::optional<Endpoint> read_endpoint(ByteReader& reader) {
    const std::uint8_t size = reader.u8();
    if (!reader.ok() || size == kNoAddress) {
        return std::nullopt;
    }
    const IpAddress address = read_address(reader, size);
    return Endpoint{address, reader.u16()};
}

bool is_whole(const IpPrefix& net) {
    return net.length <= net.address.bits() && net.address.masked(net.length) == net.address;
}

Result<void> validate(const Peer& peer) {
    if (!std::ranges::all_of(peer.allowed, is_whole) ||
        std::ranges::adjacent_find(peer.allowed, std::ranges::greater_equal{}) !=
            peer.allowed.end()) {
        return fail(Errc::malformed, "peer record: allowed IPs out of order or with host bits");
    }
    if (peer.endpoint && !is_reachable(*peer.endpoint)) {
        return fail(Errc::malformed,
                    fmt::format("peer record: nobody can be at {}", to_string(*peer.endpoint)));
    }
    return {};
}

}  // namespace

bool is_reachable(const Endpoint& endpoint) {
    if (endpoint.port == 0) {
        return false;
    }
    if (const auto v4 = endpoint.address.v4()) {
        return is_unicast(*v4);
    }
    constexpr std::uint8_t kMulticast = 0xff;
    const ByteView octets = endpoint.address.octets();
    const bool is_of_a_link = octets[0] == 0xfe && (octets[1] & 0xc0) == 0x80;
    return endpoint.address != IpAddress{} && octets[0] != kMulticast && !is_of_a_link;
}

std::vector<IpPrefix> in_order(std::vector<IpPrefix> allowed) {
    for (IpPrefix& net : allowed) {
        net.address = net.address.masked(net.length);
    }
    std::ranges::sort(allowed);
    const auto [first, last] = std::ranges::unique(allowed);
    allowed.erase(first, last);
    return allowed;
}

Bytes seal_context(const PublicKey& key) {
    ByteWriter writer;
    writer.bytes(to_bytes(kSealPurpose)).bytes(key.octets);
    return std::move(writer).take();
}

Bytes encode_key(const PublicKey& key) {
    return {key.octets.begin(), key.octets.end()};
}

Result<PublicKey> parse_key(ByteView id) {
    PublicKey key;
    if (id.size() != key.octets.size()) {
        return fail(Errc::malformed, fmt::format("public key of {} octets", id.size()));
    }
    std::ranges::copy(id, key.octets.begin());
    return key;
}

Bytes encode_peer(const Peer& peer) {
    ByteWriter writer;
    writer.u8(kPeerVersion).prefixed(ByteView(peer.sealed_preshared)).u16(peer.keepalive_s);
    if (peer.endpoint) {
        write_address(writer, peer.endpoint->address);
        writer.u16(peer.endpoint->port);
    } else {
        writer.u8(kNoAddress);
    }
    writer.u16(static_cast<std::uint16_t>(peer.allowed.size()));
    for (const IpPrefix& net : peer.allowed) {
        write_address(writer, net.address);
        writer.u8(net.length);
    }
    return std::move(writer).take();
}

Result<Peer> parse_peer(ByteView id, ByteView payload) {
    Peer peer;
    VPNHA_TRY(peer.key, parse_key(id));
    ByteReader reader(payload);
    const std::uint8_t version = reader.u8();
    if (reader.ok() && version != kPeerVersion) {
        return fail(Errc::unsupported, fmt::format("peer record of version {}", version));
    }
    const ByteView sealed = reader.take_prefixed(limits::kWireguardSealedKeyBytesMax);
    peer.sealed_preshared.assign(sealed.begin(), sealed.end());
    peer.keepalive_s = reader.u16();
    peer.endpoint = read_endpoint(reader);
    peer.allowed = read_allowed(reader);
    if (!reader.finished()) {
        return fail(Errc::malformed, fmt::format("peer record of {} octets", payload.size()));
    }
    VPNHA_CHECK(validate(peer));
    return peer;
}

Bytes encode_traffic(const PeerTraffic& traffic) {
    ByteWriter writer;
    writer.u8(kTrafficVersion).u64(traffic.last_handshake_unix_ms);
    writer.u64(traffic.octets_in).u64(traffic.octets_out);
    return std::move(writer).take();
}

Result<PeerTraffic> parse_traffic(ByteView payload) {
    ByteReader reader(payload);
    const std::uint8_t version = reader.u8();
    if (reader.ok() && version != kTrafficVersion) {
        return fail(Errc::unsupported, fmt::format("peer traffic of version {}", version));
    }
    PeerTraffic traffic;
    traffic.last_handshake_unix_ms = reader.u64();
    traffic.octets_in = reader.u64();
    traffic.octets_out = reader.u64();
    if (!reader.finished()) {
        return fail(Errc::malformed, fmt::format("peer traffic of {} octets", payload.size()));
    }
    return traffic;
}

std::string to_string(const Endpoint& endpoint) {
    return with_port(endpoint.address, endpoint.port);
}

}  // namespace vpnha::wireguard
