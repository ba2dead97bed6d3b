/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The gate's own program, for every frame and every content of its maps. CBMC gives each variable
 * without a value all its values, and looks for one with which an assertion fails. `prove` runs it,
 * once for each of the entries at the end.
 *
 * The second half reads a frame for itself, from the comment at the top of gate.bpf.c and from the
 * RFCs. It shares nothing with the program but the numbers of gate_abi.h.
 *
 *   covered      What passes has no covered address in the place that counts, or the gateway's
 *                deadline was ahead of the clock when the program read both.
 *   sent on      A frame is sent on only from outside, for one hop, while its gateway is being
 *                moved, with its MAC addresses exchanged, and never from a covered address.
 *   held back    A frame goes into the hold device only while its gateway is being moved to this
 *                node, with the mark by which it comes back, and only once.
 *   back         What leaves the hold device goes to the device of its mark. Nothing else passes.
 *   silent       What is dropped on its way out is dropped without an error.
 *   ends         A connection whose end is a session's end ends only where that is meant.
 *   held SA      No ESP of an SA leaves whose number is not set yet.
 *   clear text   A tunnel outside of IPsec passes at no VIP that demands IPsec.
 *   drained      A gateway that accepts no new clients is sent nothing that a rule has for the
 *                first word of a session.
 *
 * The maps hold any function of their keys. So they also hold what no trie of prefixes could. The
 * deadlines, the rules of moves and the clock may change at each look. The rules of protocols are
 * any. Not here: which rules a protocol needs, and that the compiler and the kernel keep to
 * the program (tests/unit/host/gate runs it with those rules); that each look at the memory is
 * allowed (the kernel's verifier proves that for the program that it loads).
 */
#include "host/gate/gate.bpf.c"

/* ---- The kernel ---- */

/* FRAME_MAX, of `prove`: more octets than the program looks at. With two tags, a header with all
 * options and the last word of a rule these are 110, with ARP's longest addresses 548. */

/* Any function: the same value for the same arguments. */
__u32 __CPROVER_uninterpreted_cover4(__u32 address);
__u32 __CPROVER_uninterpreted_cover6(__u32 one, __u32 two, __u32 three, __u32 four);
__u32 __CPROVER_uninterpreted_is_held(__u32 spi);
__u32 __CPROVER_uninterpreted_may_end(__u32 local, __u32 peer, __u32 port);
__u32 __CPROVER_uninterpreted_fault_before(__u32 source, __u32 destination, __u32 id);
__u32 __CPROVER_uninterpreted_is_drained(__u32 gateway);
__u64 __CPROVER_uninterpreted_known_until(__u32 one, __u32 two, __u32 three, __u32 four,
                                          __u32 rest);

__u8 nondet_octet(void);
__u32 nondet_u32(void);
__u64 nondet_u64(void);

struct frame {
    __u8 octets[FRAME_MAX];
};
struct frame nondet_frame(void);
struct vpnha_gate_rules nondet_rules(void);
struct vpnha_gate_move nondet_move(void);
struct vpnha_gate_station nondet_station(void);
struct __sk_buff nondet_skb(void);

static struct frame frame;
static __u32 length;  /* Of the frame. */
static __u32 network; /* Where its network header is. */
static __u64 clock_ns;

/* What the program has seen and done. */
static __u32 gateway_looked_up; /* Of the last deadline, */
static __u64 deadline_seen;     /* which was this. */
static _Bool was_ahead[VPNHA_GATE_GATEWAYS];
static struct vpnha_gate_rules rules_of_gateway;
static __u32 gateway_ruled;
static _Bool was_ruled;
static struct vpnha_gate_move move_seen;
static __u32 gateway_moved;
static _Bool has_move, onward_ahead, hold_ahead;
static struct vpnha_gate_station station_seen;
static _Bool has_station, was_stored;
static _Bool was_redirected;
static __u32 redirect_device;
static __u64 redirect_flags;

/* Fields that are read in one piece, as they are in memory. */
static __u32 word(const void* of) {
    __u32 read;
    __builtin_memcpy(&read, of, sizeof(read));
    return read;
}

static __u32 value32;
static __u64 value64;

static void* some32(__u32 value) {
    value32 = value;
    return &value32;
}

void* bpf_map_lookup_elem(void* map, const void* key) {
    if (map == &covered4) {
        const struct vpnha_gate_prefix4* host = key;
        __CPROVER_assert(host->length == 32, "a whole address is looked up");
        __u32 cover = __CPROVER_uninterpreted_cover4(word(host->address));
        return cover ? some32(cover) : 0;
    }
    if (map == &covered6) {
        const struct vpnha_gate_prefix6* host = key;
        __CPROVER_assert(host->length == 128, "a whole address is looked up");
        __u32 cover =
            __CPROVER_uninterpreted_cover6(word(host->address), word(host->address + 4),
                                           word(host->address + 8), word(host->address + 12));
        return cover ? some32(cover) : 0;
    }
    if (map == &held) {
        return __CPROVER_uninterpreted_is_held(word(key)) ? some32(1) : 0;
    }
    if (map == &ends) {
        const struct vpnha_gate_connection* connection = key;
        __CPROVER_assert(!(connection->zero[0] | connection->zero[1]), "a key's padding is zero");
        return __CPROVER_uninterpreted_may_end(
                   word(connection->local), word(connection->peer),
                   connection->peer_port[0] << 8 | connection->peer_port[1])
                   ? some32(1)
                   : 0;
    }
    if (map == &cut) {
        const struct vpnha_gate_datagram* datagram = key;
        __u32 fault = __CPROVER_uninterpreted_fault_before(
            word(datagram->source), word(datagram->destination), datagram->id);
        return fault ? some32(fault) : 0;
    }
    if (map == &known) {
        const struct vpnha_gate_peer* peer = key;
        value64 = __CPROVER_uninterpreted_known_until(word(peer->address), word(peer->address + 4),
                                                      word(peer->address + 8),
                                                      word(peer->address + 12), word(peer->port));
        return value64 ? &value64 : 0;
    }
    if (map == &stations) {
        const struct vpnha_gate_way* way = key;
        __CPROVER_assert(has_move && way->gateway == gateway_moved, "the gateway's own stations");
        has_station = nondet_octet();
        station_seen = nondet_station();
        return has_station ? &station_seen : 0;
    }
    /* The others are arrays. */
    __u32 index = word(key);
    if (map == &drops) {
        return index < VPNHA_GATE_COUNTERS ? &value64 : 0;
    }
    if (map == &moved) {
        return index < VPNHA_GATE_MOVED ? &value64 : 0;
    }
    __CPROVER_assert(index < VPNHA_GATE_GATEWAYS, "a gateway's index");
    if (map == &deadline) {
        gateway_looked_up = index;
        deadline_seen = nondet_u64();
        value64 = deadline_seen;
        return &value64;
    }
    if (map == &drained) {
        return some32(__CPROVER_uninterpreted_is_drained(index));
    }
    if (map == &rules) {
        gateway_ruled = index;
        was_ruled = 1;
        return &rules_of_gateway;
    }
    __CPROVER_assert(map == &moves, "a map that is named here");
    move_seen = nondet_move();
    gateway_moved = index;
    has_move = 1;
    return &move_seen;
}

long bpf_map_update_elem(void* map, const void* key, const void* value, __u64 flags) {
    (void)key, (void)value, (void)flags;
    __CPROVER_assert(map == &cut || map == &known, "it decides by nothing that it writes itself");
    return 0;
}

__u64 bpf_ktime_get_boot_ns(void) {
    __u64 now = nondet_u64();
    __CPROVER_assume(now >= clock_ns && now < 1ULL << 63);
    clock_ns = now;
    if (now < deadline_seen) {
        was_ahead[gateway_looked_up] = 1;
    }
    if (has_move) {
        onward_ahead = now < move_seen.onward_until;
        hold_ahead = now < move_seen.hold_until;
    }
    return now;
}

static long copy(__u32 from, void* to, __u32 size) {
    /* So a longer frame is as one of that length. */
    __CPROVER_assert(from <= FRAME_MAX && size <= FRAME_MAX - from, "the frame is long enough");
    if (from > length || size > length - from) {
        return -1;
    }
    __u8* octets = to;
    for (__u32 i = 0; i < size; ++i) {
        octets[i] = frame.octets[from + i];
    }
    return 0;
}

long bpf_skb_load_bytes(const void* skb, __u32 offset, void* to, __u32 size) {
    (void)skb;
    return copy(offset, to, size);
}

long bpf_skb_load_bytes_relative(const void* skb, __u32 offset, void* to, __u32 size, __u32 start) {
    (void)skb;
    return copy((start == BPF_HDR_START_NET ? network : 0) + offset, to, size);
}

long bpf_skb_store_bytes(struct __sk_buff* skb, __u32 offset, const void* from, __u32 size,
                         __u64 flags) {
    (void)skb, (void)flags;
    __CPROVER_assert(offset == 0 && size == 2 * ETH_ALEN, "nothing but MAC addresses is written");
    if (nondet_octet() || size > length) {
        return -1;
    }
    for (__u32 i = 0; i < 2 * ETH_ALEN; ++i) {
        frame.octets[i] = ((const __u8*)from)[i];
    }
    was_stored = 1;
    return 0;
}

long bpf_redirect(__u32 device, __u64 flags) {
    was_redirected = 1;
    redirect_device = device;
    redirect_flags = flags;
    return TC_ACT_REDIRECT;
}

/* ---- What a stack takes from the frame ---- */

static _Bool has(__u32 at, __u32 size) {
    return at <= length && size <= length - at;
}
static __u8 octet(__u32 at) {
    return frame.octets[at];
}
static __u32 two(__u32 at) {
    return (__u32)octet(at) << 8 | octet(at + 1);
}
static __u32 raw4(__u32 at) {
    __u8 octets[4] = {octet(at), octet(at + 1), octet(at + 2), octet(at + 3)};
    return word(octets);
}

static __u32 cover4_at(__u32 at) {
    return __CPROVER_uninterpreted_cover4(raw4(at));
}
static __u32 cover6_at(__u32 at) {
    return __CPROVER_uninterpreted_cover6(raw4(at), raw4(at + 4), raw4(at + 8), raw4(at + 12));
}

enum family { other, ip4, ip6, address_resolution };
struct packet {
    enum family family;
    __u32 at;           /* Its header. */
    __u32 protocol;     /* Of IP. */
    __u32 payload;      /* Behind IP's fixed header, and its options. */
    __u32 cover;        /* Of the address that counts, */
    __u32 second_cover; /* of a neighbour's target beside it, */
    __u32 source_cover; /* and of the source. */
    _Bool is_first, is_nd;
};

/* Of a frame of that EtherType. */
static struct packet packet_of(__u32 type, __u32 at, _Bool out) {
    struct packet read = {.at = at};
    if (type == 0x0800 && has(at, 20)) {
        read.family = ip4;
        read.protocol = octet(at + 9);
        read.payload = at + 4 * (octet(at) & 0x0f);
        read.is_first = (two(at + 6) & 0x1fff) == 0;
        read.cover = cover4_at(out ? at + 12 : at + 16);
        read.source_cover = cover4_at(at + 12);
    } else if (type == 0x86dd && has(at, 40)) {
        read.family = ip6;
        read.protocol = octet(at + 6);
        read.payload = at + 40;
        read.is_first = 1;
        read.cover = cover6_at(out ? at + 8 : at + 24);
        read.source_cover = cover6_at(at + 8);
        read.is_nd =
            read.protocol == 58 && has(at, 64) && (octet(at + 40) == 135 || octet(at + 40) == 136);
        _Bool has_source = raw4(at + 8) || raw4(at + 12) || raw4(at + 16) || raw4(at + 20);
        /* An advertisement, or the question of who has no address yet; the question that comes. */
        if (read.is_nd && (out ? octet(at + 40) == 136 || !has_source : octet(at + 40) == 135)) {
            read.second_cover = cover6_at(at + 48);
        }
    } else if (type == 0x0806 && has(at, 8) && two(at + 2) == 0x0800 && octet(at + 5) == 4) {
        __u32 sender = at + 8 + octet(at + 4);
        __u32 target = sender + 4 + octet(at + 4);
        if (has(out ? sender : target, 4)) {
            read.family = address_resolution;
            read.cover = cover4_at(out ? sender : target);
        }
    }
    return read;
}

/* With at most two tags in the frame: more are of devices on top, which have the gate again. */
static struct packet packet_in(const struct __sk_buff* skb, _Bool out) {
    __u32 type = __builtin_bswap16((__u16)skb->protocol);
    __u32 at = network;
    if (type == 0x8100 || type == 0x88a8) {
        at = 14;
        for (int tags = 0; tags < 2 && (type == 0x8100 || type == 0x88a8); ++tags) {
            if (!has(at, 4)) {
                return (struct packet){.family = other};
            }
            type = two(at + 2);
            at += 4;
        }
    }
    return packet_of(type, at, out);
}

/* ---- What must hold ---- */

static _Bool is_drained_now(__u32 gateway) {
    return __CPROVER_uninterpreted_is_drained(gateway) || __CPROVER_uninterpreted_is_drained(0);
}

static _Bool has_words(const struct vpnha_gate_rule* rule, __u32 at) {
    for (int i = 0; i < VPNHA_GATE_WORDS_MAX; ++i) {
        const struct vpnha_gate_word* word = &rule->words[i];
        if (word->mask &&
            (!has(at + word->offset, 4) || (raw4(at + word->offset) & word->mask) != word->value)) {
            return 0;
        }
    }
    return 1;
}

/* By any of the rules of the gateway. */
static void check_rule(const struct packet* packet, _Bool out) {
    __u32 gateway = packet->cover & 0xff, payload = packet->payload;
    __u32 client = packet->at + (packet->family == ip6 ? 8 : out ? 16 : 12);
    __u8 number = nondet_octet();
    __CPROVER_assume(number < VPNHA_GATE_RULES_MAX);
    const struct vpnha_gate_rule* rule = &rules_of_gateway.rules[number];
    if (rule->protocol != packet->protocol ||
        __builtin_bswap16(rule->port) != two(out ? payload : payload + 2)) {
        return;
    }
    if (out && rule->kind == VPNHA_GATE_ENDS && packet->family == ip4 && packet->protocol == 6 &&
        has(payload, 20) && (octet(payload + 13) & 0x05)) {
        __CPROVER_assert(
            __CPROVER_uninterpreted_may_end(raw4(packet->at + 12), raw4(client), two(payload + 2)),
            "ends");
    }
    if (out || !is_drained_now(gateway) || !has_words(rule, payload)) {
        return;
    }
    __CPROVER_assert(rule->kind != VPNHA_GATE_BEGINS, "drained");
    if (rule->kind == VPNHA_GATE_RENEWS) {
        __u8 rest[4] = {octet(payload), octet(payload + 1), packet->family == ip6, (__u8)gateway};
        __u64 until = packet->family == ip6
                          ? __CPROVER_uninterpreted_known_until(raw4(client), raw4(client + 4),
                                                                raw4(client + 8), raw4(client + 12),
                                                                word(rest))
                          : __CPROVER_uninterpreted_known_until(raw4(client), 0, 0, 0, word(rest));
        __CPROVER_assert(clock_ns < until, "drained");
    }
}

static void check_passed(const struct packet* packet, _Bool out) {
    __u32 gateway = packet->cover & 0xff;
    __CPROVER_assert(!packet->cover || was_ahead[gateway], "covered");
    __CPROVER_assert(!packet->second_cover || was_ahead[packet->second_cover & 0xff], "covered");
    if (!packet->cover || (packet->family != ip4 && packet->family != ip6)) {
        return;
    }
    __u32 at = packet->at, payload = packet->payload;
    __u32 tunnel_port = packet->cover >> 16;
    _Bool is_udp = packet->protocol == 17 && packet->is_first && has(payload, 4);
    __u32 own_port = is_udp ? two(out ? payload : payload + 2) : 0;
    __CPROVER_assert(!was_ruled || gateway_ruled == gateway, "the gateway's own rules");
    if ((packet->cover & VPNHA_GATE_RULED) && (packet->protocol == 6 || packet->protocol == 17) &&
        packet->is_first && has(payload, 4)) {
        check_rule(packet, out);
    }
    if (packet->cover & VPNHA_GATE_ESP) {
        if (out && packet->protocol == 50 && packet->is_first && has(payload, 4)) {
            __u32 spi = raw4(payload);
            __CPROVER_assert(!spi || !__CPROVER_uninterpreted_is_held(spi), "held SA");
        }
        if (out && is_udp && own_port == 4500 && has(payload, 12)) {
            __u32 spi = raw4(payload + 8);
            __CPROVER_assert(!spi || !__CPROVER_uninterpreted_is_held(spi), "held SA");
        }
        if (packet->family == ip4 && is_udp && (packet->cover & VPNHA_GATE_SECURED)) {
            __CPROVER_assert(own_port != tunnel_port, "clear text");
        }
        if (out && packet->family == ip4 && !packet->is_first &&
            (packet->protocol == 17 || packet->protocol == 50)) {
            __u16 id;
            __u8 octets[2] = {octet(at + 4), octet(at + 5)};
            __builtin_memcpy(&id, octets, sizeof(id));
            __CPROVER_assert(
                !__CPROVER_uninterpreted_fault_before(raw4(at + 12), raw4(at + 16), id),
                "held SA, clear text: the rest of a datagram whose beginning was dropped");
        }
    }
}

static void check_redirected(const struct packet* packet, const struct __sk_buff* before,
                             const struct __sk_buff* skb, const __u8* from) {
    _Bool is_ip = (packet->family == ip4 || packet->family == ip6) && !packet->is_nd;
    __CPROVER_assert(is_ip && packet->cover && before->pkt_type == PACKET_HOST && has_move &&
                         gateway_moved == (packet->cover & 0xff) && has_station,
                     "sent on, held back: an IP packet of a gateway that moves");
    __CPROVER_assert(redirect_flags == 0, "sent on, held back: it leaves by the device");
    if (was_stored) {
        __CPROVER_assert(redirect_device == before->ifindex, "sent on: by the same device");
        __CPROVER_assert(onward_ahead, "sent on: its deadline is ahead");
        __CPROVER_assert(deadline_seen <= move_seen.onward_beyond, "sent on: for no older lease");
        __CPROVER_assert(!packet->source_cover, "sent on: not from a covered address");
        _Bool is_from_to = 1, is_from_before = 1, is_somebody_there = 0;
        for (int i = 0; i < ETH_ALEN; ++i) {
            is_from_to = is_from_to && from[i] == station_seen.to[i];
            is_from_before = is_from_before && from[i] == station_seen.before[i];
            is_somebody_there = is_somebody_there || station_seen.to[i];
            __CPROVER_assert(frame.octets[i] == station_seen.to[i] &&
                                 frame.octets[ETH_ALEN + i] == station_seen.from[i],
                             "sent on: from this node to the other one");
        }
        __CPROVER_assert(is_somebody_there, "sent on: to somebody");
        __CPROVER_assert(!is_from_to && !is_from_before, "sent on: for one hop");
    } else {
        __CPROVER_assert(redirect_device && redirect_device == move_seen.hold_device,
                         "held back: in the gateway's device");
        __CPROVER_assert(hold_ahead, "held back: its deadline is ahead");
        __CPROVER_assert(before->mark != VPNHA_GATE_BACK_MARK, "held back: only once");
        __CPROVER_assert(
            before->ifindex <= 0x00ffffff && skb->mark == (0x7b000000 | before->ifindex),
            "held back: with the way back");
    }
}

static struct __sk_buff arrives(void) {
    frame = nondet_frame();
    length = nondet_u32();
    network = nondet_u32();
    __CPROVER_assume(length <= FRAME_MAX && network <= 22);
    rules_of_gateway = nondet_rules();
    for (int rule = 0; rule < VPNHA_GATE_RULES_MAX; ++rule) {
        for (int i = 0; i < VPNHA_GATE_WORDS_MAX; ++i) {
            __CPROVER_assume(rules_of_gateway.rules[rule].words[i].offset <= VPNHA_GATE_OFFSET_MAX);
        }
    }
    struct __sk_buff skb = nondet_skb();
    return skb;
}

static void check(_Bool out, enum family family) {
    struct __sk_buff skb = arrives();
    struct __sk_buff before = skb;
    struct packet packet = packet_in(&skb, out);
    __CPROVER_assume(packet.family == family);
    __u8 from[ETH_ALEN];
    for (int i = 0; i < ETH_ALEN; ++i) {
        from[i] = frame.octets[ETH_ALEN + i];
    }
    int action = out ? vpnha_gate_out(&skb) : vpnha_gate_in(&skb);
    if (action == TC_ACT_UNSPEC) {
        check_passed(&packet, out);
    } else if (action == TC_ACT_REDIRECT && out) {
        __CPROVER_assert(redirect_device == 0 && redirect_flags == 0, "silent");
    } else if (action == TC_ACT_REDIRECT) {
        check_redirected(&packet, &before, &skb, from);
    } else {
        __CPROVER_assert(action == TC_ACT_SHOT && !out, "silent");
    }
    __CPROVER_assert(action != TC_ACT_UNSPEC, "reached: a frame passes");
    __CPROVER_assert(action != TC_ACT_REDIRECT && action != TC_ACT_SHOT,
                     "reached: a frame is dropped, or led elsewhere");
}

void ipv4_in(void) {
    check(0, ip4);
}
void ipv4_out(void) {
    check(1, ip4);
}
void ipv6_in(void) {
    check(0, ip6);
}
void ipv6_out(void) {
    check(1, ip6);
}
void arp_in(void) {
    check(0, address_resolution);
}
void arp_out(void) {
    check(1, address_resolution);
}
void other_in(void) {
    check(0, other);
}
void other_out(void) {
    check(1, other);
}

void back(void) {
    struct __sk_buff skb = arrives();
    struct __sk_buff before = skb;
    int action = vpnha_gate_back(&skb);
    if ((before.mark & 0xff000000) == 0x7b000000) {
        __CPROVER_assert(action == TC_ACT_REDIRECT && redirect_flags == BPF_F_INGRESS &&
                             redirect_device == (before.mark & 0x00ffffff) &&
                             skb.mark == VPNHA_GATE_BACK_MARK,
                         "back");
    } else {
        __CPROVER_assert(action == TC_ACT_SHOT, "back");
    }
}
