// SPDX-License-Identifier: GPL-2.0-or-later
// The gate: packets from or to a covered address pass only before its gateway's deadline.
//
// It runs at tc ingress and egress, where a drop can be silent to local senders: an EPERM from
// netfilter ends pptpctrl. No flush of a ruleset affects it there. It fails closed for covered
// addresses, and ignores others: their packets continue to the next filter.
//
//               out, dropped if covered         in, dropped if covered
//   IPv4, IPv6  the source                      the destination
//   ARP         the sender                      the target
//   ND          an advertisement's target,      a solicitation's target, which comes to a multicast
//               whatever its source; a          address (RFC 4861 4.3)
//               DAD probe's target
//
// So a node may always query the owner of a covered address, and receive the answer. It neither
// claims a covered address nor receives queries for it. Router advertisements and redirects carry
// the node's link-local address and no covered one.
//
// Addresses are read relative to the network header, so that devices without a link-layer header
// work too. ICMP errors of this node from a VIP have it as source and need no rule of their own.
//
// ND and TCP are recognised directly after IPv6's fixed header, as every stack sends them. After
// extension headers they count as any other packet: source and destination still decide. A
// solicitation that is hidden so would reach the node, but its answer would not leave: it has no
// extension headers, because this node's kernel makes it.
//
// The packets that begin a session, for a gateway that accepts no new clients, and the connections
// that must not end, are not defined here. Each protocol has rules in its folder, and the map has
// those of each gateway. Only the numbers of ESP (RFC 4303) are handled here: they are the kernel's
// and no pattern, so an SPI is looked up among 65 536.
//
// A tunnel that has to be within IPsec is seen here in clear text only when it is not. Incoming
// packets are seen before decryption, and continue within the stack afterwards (see
// xfrm4_transport_finish()); outgoing ones are seen encrypted. So its port on a VIP is the test.
//
// A planned move loses no packet. From the moment in which the old node gives the gateway up, it
// forwards an IP packet for the gateway out of the same device, to the new node's MAC address.
// Packets within the old node's stack may still leave until the deadline. The new node holds
// incoming packets in a veth pair, whose far end (vpnha_gate_back) returns them to their device.
// They pass this program once more there, so a shut gate passes none of them. The frame's source
// becomes the old node's MAC: with the client's, switches would learn the old node's port for the
// client. A packet with a covered source is never forwarded, and egress checks the source as ever:
// so nobody can make this node send as a gateway. A packet that another node has forwarded is not
// forwarded again. ARP and ND are not forwarded.
//
// Fragments of IPv6 with ESP are not inspected:
// the kernel fragments before it encrypts there.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

// After <linux/bpf.h>, whose types they need.
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "gate_abi.h"

struct {
    __uint(type, BPF_MAP_TYPE_LPM_TRIE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, VPNHA_GATE_PREFIXES_MAX);
    __type(key, struct vpnha_gate_prefix4);
    __type(value, __u32);
} covered4 SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_LPM_TRIE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, VPNHA_GATE_PREFIXES_MAX);
    __type(key, struct vpnha_gate_prefix6);
    __type(value, __u32);
} covered6 SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, VPNHA_GATE_GATEWAYS);
    __type(key, __u32);
    __type(value, __u64);
} deadline SEC(".maps");

// The rules of each gateway's protocols.
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, VPNHA_GATE_GATEWAYS);
    __type(key, __u32);
    __type(value, struct vpnha_gate_rules);
} rules SEC(".maps");

// Connections that may end, because their server or their client requests it. A server that dies
// must not hang up its clients: they continue at another node.
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, VPNHA_GATE_ENDS_MAX);
    __type(key, struct vpnha_gate_connection);
    __type(value, __u32);
} ends SEC(".maps");

// SPIs of outbound ESP SAs whose numbers are not set yet: a number that is used twice gives the key
// away. Peers choose SPIs, so another peer's SA may have the same one; it waits as long.
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, VPNHA_GATE_HELD_MAX);
    __type(key, __be32);
    __type(value, __u32);
} held SEC(".maps");

// Gateways that accept no new clients, and whether this node as a whole accepts none.
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, VPNHA_GATE_GATEWAYS);
    __type(key, __u32);
    __type(value, __u32);
} drained SEC(".maps");

// Peers that have a session with a drained gateway that a beginning packet renews, and until when.
// The gateway sends data to such a client.
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, VPNHA_GATE_KNOWN_MAX);
    __type(key, struct vpnha_gate_peer);
    __type(value, __u64);
} known SEC(".maps");

// Why its first fragment was dropped on the way out: only that one names port and SPI.
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, VPNHA_GATE_CUT_MAX);
    __type(key, struct vpnha_gate_datagram);
    __type(value, __u32);
} cut SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, VPNHA_GATE_COUNTERS);
    __type(key, __u32);
    __type(value, __u64);
} drops SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, VPNHA_GATE_GATEWAYS);
    __type(key, __u32);
    __type(value, struct vpnha_gate_move);
} moves SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, VPNHA_GATE_STATIONS_MAX);
    __type(key, struct vpnha_gate_way);
    __type(value, struct vpnha_gate_station);
} stations SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, VPNHA_GATE_MOVED);
    __type(key, __u32);
    __type(value, __u64);
} moved SEC(".maps");

// RFC 791 3.1.
struct ipv4_start {
    __u8 version_length;
    __u8 service;
    __be16 length;
    __be16 id;
    __be16 fragment;
    __u8 hops;
    __u8 protocol;
    __be16 checksum;
    __u8 source[4];
    __u8 destination[4];
};

// RFC 8200 3.
struct ipv6_start {
    __be32 version_class_flow;
    __be16 length;
    __u8 protocol;
    __u8 hops;
    __be32 source[4];
    __be32 destination[4];
};

// Solicitation and advertisement up to the options (RFC 4861 4.3 and 4.4).
struct nd_start {
    __u8 type;
    __u8 code;
    __be16 checksum;
    __be32 flags;
    __be32 target[4];
};

// The ARP header up to where the addresses begin (RFC 826).
struct arp_start {
    __be16 hardware_type;
    __be16 protocol_type;
    __u8 hardware_length;
    __u8 protocol_length;
    __be16 operation;
};

// RFC 9293 3.1, up to the flags.
struct tcp_start {
    __be16 source;
    __be16 destination;
    __be32 sequence;
    __be32 acknowledgement;
    __u8 header_length;
    __u8 flags;
};

// The beginning of UDP (RFC 768) and of TCP.
struct ports {
    __be16 source;
    __be16 destination;
};

#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define PROTOCOL_ESP 50
#define PROTOCOL_ICMPV6 58
#define UDP_BYTES 8
#define FRAGMENT_OFFSET 0x1fff
#define FRAGMENTS_FOLLOW 0x2000
#define TCP_FIN 0x01
#define TCP_RST 0x04
#define ND_SOLICITATION 135
#define ND_ADVERTISEMENT 136
#define VLAN_TAG_BYTES 4
#define VLAN_TAGS_MAX 2
// Of linux/if_packet.h: it is addressed to this node's own MAC address.
#define PACKET_HOST 0

// The position of the bytes at hand, and their direction. `start` names the header that `offset`
// counts from. Bytes that cannot be read belong to no packet that a stack would accept for a
// covered address.
struct place {
    struct __sk_buff* skb;
    __u32 start;
    __u32 offset;
    __u32 direction;
};

static __always_inline int load(const struct place* at, __u32 behind, void* to, __u32 size) {
    return bpf_skb_load_bytes_relative(at->skb, at->offset + behind, to, size, at->start);
}

// The cover of the address; 0: none.
static __always_inline __u32 cover_of4(const void* address) {
    struct vpnha_gate_prefix4 host = {.length = 32};
    __builtin_memcpy(host.address, address, sizeof(host.address));
    __u32* cover = bpf_map_lookup_elem(&covered4, &host);
    return cover ? *cover : 0;
}

static __always_inline __u32 cover_of6(const void* address) {
    struct vpnha_gate_prefix6 host = {.length = 128};
    __builtin_memcpy(host.address, address, sizeof(host.address));
    __u32* cover = bpf_map_lookup_elem(&covered6, &host);
    return cover ? *cover : 0;
}

static __always_inline int drop(const struct place* at, __u32 gateway, __u32 reason, __u32 kind) {
    __u32 counter = vpnha_gate_counter(gateway, at->direction, reason, kind);
    __u64* count = bpf_map_lookup_elem(&drops, &counter);
    if (count) {
        ++*count;
    }
    // A packet that is shot at egress is reported as ENOBUFS to sockets that request errors, and as
    // congestion to TCP. One that is sent to a device that does not exist is dropped, and counts as
    // sent. (TC_ACT_STOLEN does the same in clsact; tcx interprets it as "continue".)
    return at->direction == VPNHA_GATE_OUT ? (int)bpf_redirect(0, 0) : TC_ACT_SHOT;
}

static __always_inline void count_moved(__u32 gateway, __u32 kind) {
    __u32 counter = vpnha_gate_moved(gateway, kind);
    __u64* count = bpf_map_lookup_elem(&moved, &counter);
    if (count) {
        ++*count;
    }
}

static __always_inline int is_same_mac(const __u8* one, const __u8* other) {
    __u8 difference = 0;
#pragma unroll
    for (int octet = 0; octet < ETH_ALEN; ++octet) {
        difference |= one[octet] ^ other[octet];
    }
    return !difference;
}

static __always_inline int is_somebody(const __u8* mac) {
    __u8 octets = 0;
#pragma unroll
    for (int octet = 0; octet < ETH_ALEN; ++octet) {
        octets |= mac[octet];
    }
    return octets != 0;
}

static __always_inline int send_on(struct __sk_buff* skb, const struct vpnha_gate_station* station,
                                   const __u8* from, __u32 gateway) {
    if (is_same_mac(from, station->to) || is_same_mac(from, station->before)) {
        count_moved(gateway, VPNHA_GATE_LOOPED);
        return TC_ACT_SHOT;
    }
    // Destination and source are adjacent in the frame, and in the station.
    if (bpf_skb_store_bytes(skb, 0, station, 2 * ETH_ALEN, 0)) {
        return TC_ACT_SHOT;
    }
    count_moved(gateway, VPNHA_GATE_SENT_ON);
    return (int)bpf_redirect(skb->ifindex, 0);
}

// The handling of a packet for the gateway in a planned move. TC_ACT_UNSPEC: none, the deadline
// decides.
static __noinline int take_along(struct __sk_buff* skb, const struct vpnha_gate_move* move,
                                 __u32 gateway, __u32 source_cover) {
    struct vpnha_gate_way way = {.gateway = gateway, .device = skb->ifindex};
    const struct vpnha_gate_station* station = bpf_map_lookup_elem(&stations, &way);
    __u8 from[ETH_ALEN];
    if (!station || bpf_skb_load_bytes(skb, ETH_ALEN, from, sizeof(from))) {
        return TC_ACT_UNSPEC;
    }
    __u64* until = bpf_map_lookup_elem(&deadline, &gateway);
    __u64 limit = until ? *(volatile __u64*)until : VPNHA_GATE_SHUT;
    __u64 now = bpf_ktime_get_boot_ns();
    if (now < *(volatile __u64*)&move->onward_until &&
        limit <= *(volatile __u64*)&move->onward_beyond && !source_cover &&
        is_somebody(station->to)) {
        return send_on(skb, station, from, gateway);
    }
    __u32 device = move->hold_device;
    if (now < *(volatile __u64*)&move->hold_until && device && skb->mark != VPNHA_GATE_BACK_MARK &&
        !(skb->ifindex & ~VPNHA_GATE_HELD_DEVICE)) {
        if (now >= limit) {
            count_moved(gateway, VPNHA_GATE_WAITED);
        }
        skb->mark = VPNHA_GATE_HELD_MARK | skb->ifindex;
        skb->priority =
            is_same_mac(from, station->before) ? VPNHA_GATE_HOLD_SENT_ON : VPNHA_GATE_HOLD_DIRECT;
        return (int)bpf_redirect(device, 0);
    }
    return TC_ACT_UNSPEC;
}

// Of the gateway to which the packet is addressed; 0: there is none. Broadcasts and packets for
// another node do not move.
static __always_inline const struct vpnha_gate_move* move_of(const struct place* at, __u32 cover) {
    __u32 gateway = cover & VPNHA_GATE_ID_MASK;
    if (at->direction != VPNHA_GATE_IN || at->skb->pkt_type != PACKET_HOST) {
        return 0;
    }
    const struct vpnha_gate_move* move = bpf_map_lookup_elem(&moves, &gateway);
    if (!move) {
        return 0;
    }
    __u64 now = bpf_ktime_get_boot_ns();
    return now < *(volatile __u64*)&move->onward_until || now < *(volatile __u64*)&move->hold_until
               ? move
               : 0;
}

static __always_inline int verdict(const struct place* at, __u32 cover, __u32 kind) {
    __u32 gateway = cover & VPNHA_GATE_ID_MASK;
    __u64* until = bpf_map_lookup_elem(&deadline, &gateway);
    __u64 limit = until ? *(volatile __u64*)until : VPNHA_GATE_SHUT;
    if (bpf_ktime_get_boot_ns() < limit) {
        return TC_ACT_UNSPEC;
    }
    return drop(at, gateway, limit == VPNHA_GATE_SHUT ? VPNHA_GATE_STANDBY : VPNHA_GATE_EXPIRED,
                kind);
}

static __always_inline int is_drained(__u32 cover) {
    __u32 gateway = cover & VPNHA_GATE_ID_MASK;
    __u32 all = VPNHA_GATE_ALL;
    __u32* is = bpf_map_lookup_elem(&drained, &gateway);
    if (is && *is) {
        return 1;
    }
    is = bpf_map_lookup_elem(&drained, &all);
    return is && *is;
}

static __always_inline int is_known(const struct vpnha_gate_peer* peer) {
    __u64* until = bpf_map_lookup_elem(&known, peer);
    return until && bpf_ktime_get_boot_ns() < *(volatile __u64*)until;
}

// Whether the packet matches all words of the rule; its TCP or UDP header begins at `behind`.
static __always_inline int has_words(const struct place* at, __u32 behind,
                                     const struct vpnha_gate_rule* rule) {
#pragma unroll
    for (int i = 0; i < VPNHA_GATE_WORDS_MAX; ++i) {
        const struct vpnha_gate_word* word = &rule->words[i];
        __be32 there;
        if (word->mask && (load(at, behind + word->offset, &there, sizeof(there)) ||
                           (there & word->mask) != word->value)) {
            return 0;
        }
    }
    return 1;
}

// For TCP or UDP between a VIP of a drained gateway and `peer`, without a port yet: whether it is
// the first packet of a session. Notes the peers that have one.
static __noinline int begins_session(const struct place* at, __u32 protocol, __u32 behind,
                                     struct vpnha_gate_peer* peer) {
    __u32 gateway = peer->gateway;
    const struct vpnha_gate_rules* of_gateway = bpf_map_lookup_elem(&rules, &gateway);
    struct ports ports;
    if (!of_gateway || load(at, behind, &ports, sizeof(ports))) {
        return 0;
    }
    int out = at->direction == VPNHA_GATE_OUT;
    __be16 own = out ? ports.source : ports.destination;
    __be16 other = out ? ports.destination : ports.source;
    __builtin_memcpy(peer->port, &other, sizeof(peer->port));
    for (int i = 0; i < VPNHA_GATE_RULES_MAX; ++i) {
        const struct vpnha_gate_rule* rule = &of_gateway->rules[i];
        if (rule->protocol != protocol || rule->port != own || !has_words(at, behind, rule)) {
            continue;
        }
        if (out && rule->kind == VPNHA_GATE_GOES_ON) {
            __u64 until = bpf_ktime_get_boot_ns() + rule->lasts_ns;
            bpf_map_update_elem(&known, peer, &until, BPF_ANY);
        } else if (!out && (rule->kind == VPNHA_GATE_BEGINS ||
                            (rule->kind == VPNHA_GATE_RENEWS && !is_known(peer)))) {
            return 1;
        }
    }
    return 0;
}

// Whether the gateway accepts no new clients, and the packet may be from one.
static __always_inline int is_looked_into(__u32 cover, __u32 protocol) {
    return (cover & VPNHA_GATE_RULED) && (protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP) &&
           is_drained(cover);
}

// Whether the end of a connection from that port of a VIP is a session's end.
static __always_inline int ends_sessions(__u32 gateway, __be16 port) {
    const struct vpnha_gate_rules* of_gateway = bpf_map_lookup_elem(&rules, &gateway);
    for (int i = 0; of_gateway && i < VPNHA_GATE_RULES_MAX; ++i) {
        if (of_gateway->rules[i].kind == VPNHA_GATE_ENDS && of_gateway->rules[i].port == port) {
            return 1;
        }
    }
    return 0;
}

// For an IPv4 packet of TCP that may pass, whose header ends at `behind`.
static __always_inline int verdict_on_tcp(const struct place* at, __u32 cover,
                                          const struct ipv4_start* header, __u32 behind) {
    struct tcp_start tcp;
    __u32 gateway = cover & VPNHA_GATE_ID_MASK;
    if (at->direction != VPNHA_GATE_OUT || !(cover & VPNHA_GATE_RULED) ||
        load(at, behind, &tcp, sizeof(tcp)) || !(tcp.flags & (TCP_FIN | TCP_RST)) ||
        !ends_sessions(gateway, tcp.source)) {
        return TC_ACT_UNSPEC;
    }
    struct vpnha_gate_connection connection = {};
    __builtin_memcpy(connection.local, header->source, sizeof(connection.local));
    __builtin_memcpy(connection.peer, header->destination, sizeof(connection.peer));
    __builtin_memcpy(connection.peer_port, &tcp.destination, sizeof(connection.peer_port));
    return bpf_map_lookup_elem(&ends, &connection)
               ? TC_ACT_UNSPEC
               : drop(at, gateway, VPNHA_GATE_ENDING, VPNHA_GATE_IP);
}

// Whether the octets at `behind` are a held SPI. In UDP four octets of 0 precede IKE.
static __always_inline int is_held(const struct place* at, __u32 behind) {
    __be32 spi;
    return !load(at, behind, &spi, sizeof(spi)) && spi && bpf_map_lookup_elem(&held, &spi);
}

// Why a packet from or to a VIP does not pass; 0: it does.
static __always_inline __u32 fault_of(const struct place* at, __u32 cover, __u32 protocol,
                                      __u32 behind) {
    struct ports udp;
    int out = at->direction == VPNHA_GATE_OUT;
    __u32 tunnel_port = cover >> VPNHA_GATE_TUNNEL_PORT_SHIFT;
    if (protocol == PROTOCOL_ESP) {
        return out && is_held(at, behind) ? VPNHA_GATE_HELD : 0;
    }
    if (load(at, behind, &udp, sizeof(udp))) {
        return 0;
    }
    if ((cover & VPNHA_GATE_SECURED) &&
        (out ? udp.source : udp.destination) == bpf_htons((__u16)tunnel_port)) {
        return VPNHA_GATE_CLEARTEXT;
    }
    return out && udp.source == bpf_htons(VPNHA_GATE_NAT_T_PORT) && is_held(at, behind + UDP_BYTES)
               ? VPNHA_GATE_HELD
               : 0;
}

// For an IPv4 packet of UDP or ESP that may pass, whose header ends at `behind`.
static __always_inline int verdict_on_datagram(const struct place* at, __u32 cover,
                                               const struct ipv4_start* header, __u32 behind) {
    int out = at->direction == VPNHA_GATE_OUT;
    if (!(cover & VPNHA_GATE_ESP)) {
        return TC_ACT_UNSPEC;
    }
    struct vpnha_gate_datagram datagram = {.id = header->id};
    __builtin_memcpy(datagram.source, header->source, sizeof(datagram.source));
    __builtin_memcpy(datagram.destination, header->destination, sizeof(datagram.destination));
    __u32 fault = 0;
    if (header->fragment & bpf_htons(FRAGMENT_OFFSET)) {
        // No incoming datagram is assembled without the first one.
        __u32* first = out ? bpf_map_lookup_elem(&cut, &datagram) : 0;
        fault = first ? *first : 0;
    } else {
        fault = fault_of(at, cover, header->protocol, behind);
        if (fault && out && (header->fragment & bpf_htons(FRAGMENTS_FOLLOW))) {
            bpf_map_update_elem(&cut, &datagram, &fault, BPF_ANY);
        }
    }
    return fault ? drop(at, cover & VPNHA_GATE_ID_MASK, fault, VPNHA_GATE_IP) : TC_ACT_UNSPEC;
}

static __always_inline int ipv4(const struct place* at) {
    struct ipv4_start header;
    if (load(at, 0, &header, sizeof(header))) {
        return TC_ACT_UNSPEC;
    }
    int out = at->direction == VPNHA_GATE_OUT;
    __u32 cover = cover_of4(out ? header.source : header.destination);
    if (!cover) {
        return TC_ACT_UNSPEC;
    }
    int action = TC_ACT_UNSPEC;
    const struct vpnha_gate_move* move = move_of(at, cover);
    if (move) {
        action = take_along(at->skb, move, cover & VPNHA_GATE_ID_MASK, cover_of4(header.source));
    }
    if (action == TC_ACT_UNSPEC) {
        action = verdict(at, cover, VPNHA_GATE_IP);
    }
    if (action != TC_ACT_UNSPEC) {
        return action;
    }
    __u32 behind = (header.version_length & 0x0f) * 4;
    int is_first = !(header.fragment & bpf_htons(FRAGMENT_OFFSET));
    if (is_first && is_looked_into(cover, header.protocol)) {
        struct vpnha_gate_peer peer = {.gateway = (__u8)cover};
        __builtin_memcpy(peer.address, out ? header.destination : header.source,
                         sizeof(header.source));
        if (begins_session(at, header.protocol, behind, &peer)) {
            return drop(at, cover & VPNHA_GATE_ID_MASK, VPNHA_GATE_DRAINED, VPNHA_GATE_IP);
        }
    }
    if (header.protocol == PROTOCOL_TCP && is_first) {
        return verdict_on_tcp(at, cover, &header, behind);
    }
    if (header.protocol == PROTOCOL_UDP || header.protocol == PROTOCOL_ESP) {
        return verdict_on_datagram(at, cover, &header, behind);
    }
    return TC_ACT_UNSPEC;
}

// Whether the node only checks that the address is free: duplicate address detection has no source
// yet.
static __always_inline int is_unspecified(const __be32* address) {
    return !(address[0] | address[1] | address[2] | address[3]);
}

static __always_inline int is_same_address(const __be32* one, const __be32* other) {
    return !((one[0] ^ other[0]) | (one[1] ^ other[1]) | (one[2] ^ other[2]) | (one[3] ^ other[3]));
}

static __always_inline int ipv6(const struct place* at) {
    struct ipv6_start header;
    struct nd_start nd;
    __u32 kind = VPNHA_GATE_IP;
    if (load(at, 0, &header, sizeof(header))) {
        return TC_ACT_UNSPEC;
    }
    if (header.protocol == PROTOCOL_ICMPV6 && !load(at, sizeof(header), &nd, sizeof(nd)) &&
        (nd.type == ND_SOLICITATION || nd.type == ND_ADVERTISEMENT)) {
        kind = VPNHA_GATE_ND;
    }
    int out = at->direction == VPNHA_GATE_OUT;
    const __be32* address = out ? header.source : header.destination;
    __u32 cover = cover_of6(address);
    __u32 target = 0;
    if (kind == VPNHA_GATE_ND && !is_same_address(nd.target, address)) {
        int asks = nd.type == ND_SOLICITATION;
        if (out ? !asks || is_unspecified(header.source) : asks) {
            target = cover_of6(nd.target);
        }
    }
    cover = cover ? cover : target;
    if (!cover) {
        return TC_ACT_UNSPEC;
    }
    int action = TC_ACT_UNSPEC;
    const struct vpnha_gate_move* move = kind == VPNHA_GATE_IP ? move_of(at, cover) : 0;
    if (move) {
        action = take_along(at->skb, move, cover & VPNHA_GATE_ID_MASK, cover_of6(header.source));
        if (action != TC_ACT_UNSPEC) {
            return action;
        }
    }
    action = verdict(at, cover, kind);
    // An open gateway does not pass packets for one that is shut.
    if (action == TC_ACT_UNSPEC && target && ((target ^ cover) & VPNHA_GATE_ID_MASK)) {
        action = verdict(at, target, kind);
    }
    if (action == TC_ACT_UNSPEC && is_looked_into(cover, header.protocol)) {
        struct vpnha_gate_peer peer = {.gateway = (__u8)cover, .is_v6 = 1};
        __builtin_memcpy(peer.address, out ? header.destination : header.source,
                         sizeof(peer.address));
        if (begins_session(at, header.protocol, sizeof(header), &peer)) {
            return drop(at, cover & VPNHA_GATE_ID_MASK, VPNHA_GATE_DRAINED, VPNHA_GATE_IP);
        }
    }
    if (action == TC_ACT_UNSPEC && (cover & VPNHA_GATE_ESP) &&
        (header.protocol == PROTOCOL_UDP || header.protocol == PROTOCOL_ESP) &&
        fault_of(at, cover & VPNHA_GATE_ID_MASK, header.protocol, sizeof(header))) {
        return drop(at, cover & VPNHA_GATE_ID_MASK, VPNHA_GATE_HELD, VPNHA_GATE_IP);
    }
    return action;
}

static __always_inline int arp(const struct place* at) {
    struct arp_start header;
    __u8 address[4];
    if (load(at, 0, &header, sizeof(header)) || header.protocol_type != bpf_htons(ETH_P_IP) ||
        header.protocol_length != sizeof(address)) {
        return TC_ACT_UNSPEC;
    }
    __u32 behind = sizeof(header) + header.hardware_length;  // The sender's protocol address.
    if (at->direction == VPNHA_GATE_IN) {
        behind += sizeof(address) + header.hardware_length;  // The target's.
    }
    if (load(at, behind, address, sizeof(address))) {
        return TC_ACT_UNSPEC;
    }
    __u32 cover = cover_of4(address);
    return cover ? verdict(at, cover, VPNHA_GATE_ARP) : TC_ACT_UNSPEC;
}

static __always_inline int gate(struct __sk_buff* skb, __u32 direction) {
    struct place at = {.skb = skb, .start = BPF_HDR_START_NET, .direction = direction};
    __be16 protocol = (__be16)skb->protocol;
    // A tag still within the frame: kernels disagree on which side of it the network header lies,
    // so such frames are read from their first byte.
    if (protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD)) {
        at.start = BPF_HDR_START_MAC;
        at.offset = sizeof(struct ethhdr);
#pragma unroll
        for (int tag = 0; tag < VLAN_TAGS_MAX; ++tag) {
            if (protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD)) {
                if (load(&at, 2, &protocol, sizeof(protocol))) {
                    return TC_ACT_UNSPEC;
                }
                at.offset += VLAN_TAG_BYTES;
            }
        }
    }
    if (protocol == bpf_htons(ETH_P_IP)) {
        return ipv4(&at);
    }
    if (protocol == bpf_htons(ETH_P_IPV6)) {
        return ipv6(&at);
    }
    if (protocol == bpf_htons(ETH_P_ARP)) {
        return arp(&at);
    }
    return TC_ACT_UNSPEC;
}

SEC("tc")
int vpnha_gate_in(struct __sk_buff* skb) {
    int action = gate(skb, VPNHA_GATE_IN);
    if (skb->mark == VPNHA_GATE_BACK_MARK) {
        skb->mark = 0;
        skb->priority = 0;
    }
    return action;
}

SEC("tc")
int vpnha_gate_out(struct __sk_buff* skb) {
    return gate(skb, VPNHA_GATE_OUT);
}

// For both ends of a hold device: a packet that leaves it returns to its own device, and nothing
// else passes there.
SEC("tc")
int vpnha_gate_back(struct __sk_buff* skb) {
    if ((skb->mark & ~VPNHA_GATE_HELD_DEVICE) != VPNHA_GATE_HELD_MARK) {
        return TC_ACT_SHOT;
    }
    __u32 device = skb->mark & VPNHA_GATE_HELD_DEVICE;
    skb->mark = VPNHA_GATE_BACK_MARK;
    return (int)bpf_redirect(device, BPF_F_INGRESS);
}

const char kLicense[] SEC("license") = "GPL";
