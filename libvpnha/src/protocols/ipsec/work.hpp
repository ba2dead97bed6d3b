// SPDX-License-Identifier: GPL-2.0-or-later
// IPsec SAs: the keeper's requests to this node's charon and kernel, and the events from them.
// Requests and events concern one gateway only.
#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "cluster/effects/protocol_work.hpp"
#include "protocols/ipsec/model/ike_packet.hpp"
#include "protocols/ipsec/model/port_map.hpp"
#include "protocols/ipsec/model/sa_counters.hpp"
#include "vpnha/result.hpp"

namespace vpnha::node {

// HA messages for this node's charon, in this order; paced by its receive queue. → CharonFed
struct FeedCharon {
    GatewayId gateway;
    std::vector<Bytes> messages;
    std::uint64_t ticket = 0;
};
// All IKE SAs become active (charon sends and rekeys) or passive. → CharonTurned
struct TurnCharon {
    GatewayId gateway;
    bool active = false;
};
// The ESP SAs of this kernel from or to the gateway's addresses, as they are then. → SasListed
struct ListSas {
    GatewayId gateway;
    std::uint64_t ticket = 0;
};
// Sequence numbers of SAs that exist: oseq of an outbound one, seq and bitmap of an inbound one. No
// number goes back, except that of an outbound SA where `exact`: nobody has used higher numbers. →
// CountersSet
struct SetCounters {
    GatewayId gateway;
    std::vector<ipsec::SaCounters> counters;
    std::uint64_t ticket = 0;
    bool exact = false;
};
// Removes the gateway's ESP SAs, not its policies: SAs of a charon that died would break a replay.
// → SasFlushed
struct FlushSas {
    GatewayId gateway;
    std::uint64_t ticket = 0;
};

// The gate drops what the outbound SAs with these SPIs send from now on, or passes it again. →
// EspHeld
struct HoldEsp {
    GatewayId gateway;
    std::vector<std::uint32_t> spis;
    bool held = true;
    std::uint64_t ticket = 0;
};

// Replaces the private ports of the clients of L2TP within IPsec in this node.
struct MapPorts {
    GatewayId gateway;
    std::vector<ipsec::PortMapping> mappings;
};

// charon replaces these CHILD SAs, named by their inbound SPIs, and those whose rekey time passed
// while it was passive. It deletes those of `refusing` instead, because their clients refuse a
// rekey.
struct RekeyChildren {
    GatewayId gateway;
    std::vector<std::uint32_t> spis;
    std::vector<ipsec::IkeKey> refusing;
};

// charon ends these IKE SAs, and notifies their clients.
struct EndIkeSas {
    GatewayId gateway;
    std::vector<ipsec::IkeKey> sas;
};

// Starts or stops reports of messages within IKEv2 SAs that arrive or leave. → IkeSeen
struct WatchIke {
    GatewayId gateway;
    bool on = false;
};

// Sends a datagram of IKE unchanged, from one of the gateway's addresses.
struct SendIke {
    GatewayId gateway;
    ipsec::HaHost from;
    ipsec::HaHost to;
    Bytes datagram;
};

using IpsecWork = std::variant<FeedCharon, TurnCharon, ListSas, SetCounters, FlushSas, HoldEsp,
                               MapPorts, RekeyChildren, EndIkeSas, WatchIke, SendIke>;
template <effects::OneOf<IpsecWork> What>
IpsecWork work_of(const What&);

// One HA datagram with its secrets sealed; of the types 1 to 7 and 12 only.
struct CharonEmitted {
    ByteView message;
};
// An empty charon with its connections loaded (its RESYNC came): feed it from the start. `version`:
// of its messages (protocols/ipsec/model/ha_message.hpp).
struct CharonFresh {
    std::uint8_t version = ipsec::kHaVersion;
};
// charon's queue is empty again, and no message was dropped.
struct CharonFed {
    std::uint64_t ticket = 0;
    Result<void> result;
};
// Its SEGMENT_TAKE or SEGMENT_DROP.
struct CharonTurned {
    bool active = false;
};
// There is no charon: its socket has closed, or its STATUS is overdue.
struct CharonGone {};
struct SasListed {
    std::span<const ipsec::SaCounters> sas;
    std::uint64_t ticket = 0;
};
struct SasFlushed {
    std::uint64_t ticket = 0;
    Result<void> result;
};
struct CountersSet {
    std::uint64_t ticket = 0;
    Result<void> result;
};

struct EspHeld {
    std::uint64_t ticket = 0;
    Result<void> result;
};

// Its sender is not authenticated.
struct IkeSeen {
    ipsec::IkePacket packet;
};

using IpsecEvent = std::variant<CharonEmitted, CharonFresh, CharonFed, CharonTurned, CharonGone,
                                SasListed, SasFlushed, CountersSet, EspHeld, IkeSeen>;
template <effects::OneOf<IpsecEvent> What>
IpsecEvent event_of(const What&);

}  // namespace vpnha::node
