// SPDX-License-Identifier: GPL-2.0-or-later
// WireGuard peers: the keeper's requests to this node's kernel, and the events from it. Requests
// for one gateway are carried out in order.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.hpp"
#include "cluster/effects/protocol_work.hpp"
#include "cluster/wire/record_key.hpp"
#include "protocols/wireguard/model/peer_record.hpp"

namespace vpnha::node {

[[nodiscard]] inline wire::RecordKey peer_record_of(const wireguard::PublicKey& key) {
    return {wire::RecordType::wireguard_peer, wire::RecordId(wireguard::encode_key(key))};
}
[[nodiscard]] inline wire::RecordKey traffic_record_of(const wireguard::PublicKey& key) {
    return {wire::RecordType::wireguard_traffic, wire::RecordId(wireguard::encode_key(key))};
}

// The gateway's device exists, up and without peers; an older one is removed. → DeviceRaised
struct RaiseDevice {
    GatewayId gateway;
};
// Removes the device.
struct LowerDevice {
    GatewayId gateway;
};
// The device has the peer, and tries no handshake by itself. → PeerSet
struct SetPeer {
    GatewayId gateway;
    wireguard::Peer peer;
    std::uint64_t ticket = 0;  // 0: no record waits for it.
    // Removes the kernel's state of it first: keys, counters, and the time of its last try.
    bool anew = false;
    std::uint16_t keepalive_s = 0;  // More than 0: the kernel shakes hands with it at once.
};
struct RemovePeer {
    GatewayId gateway;
    wireguard::PublicKey key;
};
// The device's packets leave from the gateway's address from now on, or no more. → VipUsed, if on
struct UseVip {
    GatewayId gateway;
    bool on = false;
};
struct Keepalive {
    wireguard::PublicKey key;
    std::uint16_t seconds = 0;
    friend bool operator==(const Keepalive&, const Keepalive&) = default;
};
// A change from 0 makes the kernel shake hands with the peer at once, or send a keepalive if it has
// a key with it. Peers that the device does not have are ignored.
struct SetKeepalives {
    GatewayId gateway;
    std::vector<Keepalive> keepalives;
};
// → PeersRead, several times
struct ReadPeers {
    GatewayId gateway;
    std::uint64_t ticket = 0;
};
// Reads the file of peers. → PeersLoaded, several times, or PeersUnreadable
struct LoadPeers {
    GatewayId gateway;
};

using WireguardWork = std::variant<RaiseDevice, LowerDevice, SetPeer, RemovePeer, UseVip,
                                   SetKeepalives, ReadPeers, LoadPeers>;
template <effects::OneOf<WireguardWork> What>
WireguardWork work_of(const What&);

struct DeviceRaised {
    Result<void> result;
};
// The device's packets leave from the gateway's address.
struct VipUsed {};
struct PeerSet {
    wireguard::PublicKey key;
    std::uint64_t ticket = 0;
    Result<void> result;
};
// Some of the peers that differ from the last reading. The last part ends the reading.
struct PeersRead {
    std::uint64_t ticket = 0;
    std::span<const wireguard::PeerState> peers;
    bool is_last = true;
};
// Somebody has removed the device, and all peers with it.
struct DeviceGone {};
// Some peers of the file, with sealed preshared keys. The last part ends the file.
struct PeersLoaded {
    std::span<const wireguard::Peer> peers;
    bool is_last = true;
};
struct PeersUnreadable {
    std::string why;
};

using WireguardEvent = std::variant<DeviceRaised, VipUsed, PeerSet, PeersRead, DeviceGone,
                                    PeersLoaded, PeersUnreadable>;
template <effects::OneOf<WireguardEvent> What>
WireguardEvent event_of(const What&);

}  // namespace vpnha::node
