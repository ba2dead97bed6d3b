// SPDX-License-Identifier: GPL-2.0-or-later
// IPsec SAs: what their keeper wants of this node's charon and kernel, and what it hears of them.
// charon and the kernel's ESP SAs are told and asked of one gateway only.
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
// All IKE SAs are active (it speaks and rekeys) or passive. → CharonTurned
struct TurnCharon {
    GatewayId gateway;
    bool active = false;
};
// The ESP SAs of this kernel from or to the gateway's addresses, as they are then. → SasListed
struct ListSas {
    GatewayId gateway;
    std::uint64_t ticket = 0;
};
// Sequence numbers of SAs that exist: oseq of an outbound one, seq and bitmap of an inbound one.
// None goes back but, where `exact`, that of an outbound one: nobody has used what is above it.
// → CountersSet
struct SetCounters {
    GatewayId gateway;
    std::vector<ipsec::SaCounters> counters;
    std::uint64_t ticket = 0;
    bool exact = false;
};
// Removes the gateway's ESP SAs, not its policies: what a charon that died left would break a
// replay. → SasFlushed
struct FlushSas {
    GatewayId gateway;
    std::uint64_t ticket = 0;
};

// What the outbound SAs with these SPIs send is dropped by the gate from now on, or passes again.
// → EspHeld
struct HoldEsp {
    GatewayId gateway;
    std::vector<std::uint32_t> spis;
    bool held = true;
    std::uint64_t ticket = 0;
};

// By which ports clients of L2TP within IPsec are known in this node; instead of those of before.
struct MapPorts {
    GatewayId gateway;
    std::vector<ipsec::PortMapping> mappings;
};

// charon makes new ones in their place: of these CHILD SAs, by their inbound SPIs, and of those
// whose time came while it was passive. Those of `refusing`, whose clients take no rekey, it
// deletes instead.
struct RekeyChildren {
    GatewayId gateway;
    std::vector<std::uint32_t> spis;
    std::vector<ipsec::IkeKey> refusing;
};

// charon ends these IKE SAs, and tells their clients.
struct EndIkeSas {
    GatewayId gateway;
    std::vector<ipsec::IkeKey> sas;
};

// Messages within IKEv2 SAs are told as they come and go, or no more. → IkeSeen
struct WatchIke {
    GatewayId gateway;
    bool on = false;
};

// A datagram of IKE goes out as it is, from one of the gateway's addresses.
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
struct CharonSaid {
    ByteView message;
};
// An empty charon with its connections loaded (its RESYNC came): feed it from the start. `version`:
// of its messages (protocols/ipsec/model/ha_message.hpp).
struct CharonFresh {
    std::uint8_t version = ipsec::kHaVersion;
};
// charon's queue is empty again, and dropped nothing.
struct CharonFed {
    std::uint64_t ticket = 0;
    Result<void> result;
};
// Its SEGMENT_TAKE or SEGMENT_DROP.
struct CharonTurned {
    bool active = false;
};
// There is no charon: its socket has closed, or its STATUS is silent.
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

// By whom is not proven.
struct IkeSeen {
    ipsec::IkePacket packet;
};

using IpsecEvent = std::variant<CharonSaid, CharonFresh, CharonFed, CharonTurned, CharonGone,
                                SasListed, SasFlushed, CountersSet, EspHeld, IkeSeen>;
template <effects::OneOf<IpsecEvent> What>
IpsecEvent event_of(const What&);

}  // namespace vpnha::node
