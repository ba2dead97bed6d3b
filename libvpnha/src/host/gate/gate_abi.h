/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the gate's program and its user space. C, because the program is. */
#ifndef VPNHA_GATE_ABI_H
#define VPNHA_GATE_ABI_H

#include <linux/types.h>

/* Gateway ids are one octet; index 0 is never used. */
#define VPNHA_GATE_GATEWAYS 256
// No gateway has it: stands for all of them, for settings of the whole node.
#define VPNHA_GATE_ALL 0
/* Of each family: VIPs, PPP addresses and pools of 255 gateways at 16 each, ~64 bytes of kernel
 * memory apiece. */
#define VPNHA_GATE_PREFIXES_MAX 4096

#define VPNHA_GATE_IN 0
#define VPNHA_GATE_OUT 1
#define VPNHA_GATE_DIRECTIONS 2

/* Why a packet was dropped: the gateway has no deadline; its deadline has passed; it ends a TCP
 * connection that is not to end; it is of a tunnel outside of IPsec, which the gateway requires; it
 * is of an ESP SA that is held; it would begin a session, and the gateway refuses new clients. */
#define VPNHA_GATE_STANDBY 0
#define VPNHA_GATE_EXPIRED 1
#define VPNHA_GATE_ENDING 2
#define VPNHA_GATE_CLEARTEXT 3
#define VPNHA_GATE_HELD 4
#define VPNHA_GATE_DRAINED 5
#define VPNHA_GATE_REASONS 6

#define VPNHA_GATE_IP 0
#define VPNHA_GATE_ARP 1
#define VPNHA_GATE_ND 2
#define VPNHA_GATE_KINDS 3

#define VPNHA_GATE_COUNTERS \
    (VPNHA_GATE_GATEWAYS * VPNHA_GATE_DIRECTIONS * VPNHA_GATE_REASONS * VPNHA_GATE_KINDS)

/* Deadlines are CLOCK_BOOTTIME in nanoseconds. */
#define VPNHA_GATE_SHUT 0ULL

/* Values of the tries: the gateway's id, and whether the address is a VIP of a gateway that has
 * rules, sends ESP, or has tunnels within IPsec only. Sessions at other addresses are not the
 * gateway's: they belong to clients, or to servers behind a DNAT. Above these bits the UDP port of
 * the gateway's tunnels, 0 if it has none. */
#define VPNHA_GATE_ID_MASK 0xffU
#define VPNHA_GATE_RULED 0x100U
#define VPNHA_GATE_ESP 0x200U
#define VPNHA_GATE_SECURED 0x400U
#define VPNHA_GATE_TUNNEL_PORT_SHIFT 16

/* ESP in UDP (RFC 3948 2.1). */
#define VPNHA_GATE_NAT_T_PORT 4500
/* SPIs at a time. */
#define VPNHA_GATE_HELD_MAX 65536

/* Datagrams whose first fragment was dropped at a time; more push out the oldest. */
#define VPNHA_GATE_CUT_MAX 1024

/* Its queue there, as skb->priority: packets that the old node has forwarded are older than those
 * straight from their senders, and leave first. */
#define VPNHA_GATE_HOLD_SENT_ON 0x00010001U
#define VPNHA_GATE_HOLD_DIRECT 0x00010002U
/* The mark of a packet that waits in a gateway's hold device, and above it the number of its own
 * device. Devices with a higher number hold nothing. */
#define VPNHA_GATE_HELD_MARK 0x7b000000U
#define VPNHA_GATE_HELD_DEVICE 0x00ffffffU
/* The mark of a packet that has left the hold device, and returns to its own device. */
#define VPNHA_GATE_BACK_MARK 0x7c9a11eeU

/* The packets of planned moves. Sent on: by the old node to the new one. Held: put into the hold
 * device while the gate was shut. Looped: dropped, because another node had forwarded it. */
#define VPNHA_GATE_SENT_ON 0
#define VPNHA_GATE_WAITED 1
#define VPNHA_GATE_LOOPED 2
#define VPNHA_GATE_MOVED_KINDS 3
#define VPNHA_GATE_MOVED (VPNHA_GATE_GATEWAYS * VPNHA_GATE_MOVED_KINDS)
/* Gateways at a time, and devices of each: both sides, VLANs and the devices below them. */
#define VPNHA_GATE_STATIONS_MAX 1024

/* Kinds of rules (config/gate_rule.hpp), each for packets with certain words between a port of a
 * VIP and a client. Incoming: it begins a session. Incoming: it begins one, or renews that of a
 * known client. Outgoing: its receiver has a session, and is known for a time. The end of a TCP
 * connection from that port: it ends a session. 0: no rule. */
#define VPNHA_GATE_BEGINS 1
#define VPNHA_GATE_RENEWS 2
#define VPNHA_GATE_GOES_ON 3
#define VPNHA_GATE_ENDS 4
/* Of a gateway: those of all protocols are 8. */
#define VPNHA_GATE_RULES_MAX 12
#define VPNHA_GATE_WORDS_MAX 3
/* The offset of a word. The proof of the program uses frames that are long enough for it. */
#define VPNHA_GATE_OFFSET_MAX 24
/* Clients that are known at a time; more push out the oldest. */
#define VPNHA_GATE_KNOWN_MAX 65536

/* Connections whose end is requested at a time, until their last packets have left; more push out
 * the oldest. */
#define VPNHA_GATE_ENDS_MAX 1024

/* Keys of the tries of covered prefixes, in the layout that the kernel requires. */
struct vpnha_gate_prefix4 { /* NOLINT(readability-identifier-naming): a C name. */
    __u32 length;
    __u8 address[4];
};
struct vpnha_gate_prefix6 { /* NOLINT(readability-identifier-naming): a C name. */
    __u32 length;
    __u8 address[16];
};
/* Four octets under a mask, at an offset from the start of the header of TCP or UDP. Octets as in
 * the packet; without a mask the word always matches. */
struct vpnha_gate_word { /* NOLINT(readability-identifier-naming): a C name. */
    __u32 offset;
    __be32 mask;
    __be32 value;
};
struct vpnha_gate_rule { /* NOLINT(readability-identifier-naming): a C name. */
    __u64 lasts_ns;      /* For VPNHA_GATE_GOES_ON. */
    struct vpnha_gate_word words[VPNHA_GATE_WORDS_MAX];
    __be16 port; /* The gateway's. */
    __u8 protocol;
    __u8 kind;
};
struct vpnha_gate_rules { /* NOLINT(readability-identifier-naming): a C name. */
    struct vpnha_gate_rule rules[VPNHA_GATE_RULES_MAX];
};
/* A connection of a VIP, by a rule's port. Addresses and port as in the packet. */
struct vpnha_gate_connection { /* NOLINT(readability-identifier-naming): a C name. */
    __u8 local[4];
    __u8 peer[4];
    __u8 peer_port[2];
    __u8 zero[2];
};
/* The other end of a session; IPv4 addresses in the first four octets. Address and port as in the
 * packet. */
struct vpnha_gate_peer { /* NOLINT(readability-identifier-naming): a C name. */
    __u8 address[16];
    __u8 port[2];
    __u8 is_v6;
    __u8 gateway;
};
/* A datagram in fragments (RFC 791 3.2), UDP or ESP. */
struct vpnha_gate_datagram { /* NOLINT(readability-identifier-naming): a C name. */
    __u8 source[4];
    __u8 destination[4];
    __u32 id;
};

/* A planned move of a gateway. Deadlines as those of the gate. The old node forwards a packet for
 * the gateway until `onward_until`; but a deadline of the gate beyond `onward_beyond` is a newer
 * lease, and ends that. On the new node it passes `hold_device` until `hold_until`, whether the
 * gate is open or not. */
struct vpnha_gate_move { /* NOLINT(readability-identifier-naming): a C name. */
    __u64 onward_until;
    __u64 onward_beyond;
    __u64 hold_until;
    __u32 hold_device;
    __u32 zero;
};
/* A device of a gateway. */
struct vpnha_gate_way { /* NOLINT(readability-identifier-naming): a C name. */
    __u32 gateway;
    __u32 device;
};
/* The stations on the link of such a device; 0: none. */
struct vpnha_gate_station { /* NOLINT(readability-identifier-naming): a C name. */
    __u8 to[6];             /* The new node, to which this one forwards. */
    __u8 from[6];           /* This node's own device. */
    __u8 before[6];         /* The old node, which forwards to this one. */
    __u8 zero[2];
};

/* Index of a counter of moved packets. */
static inline __u32 vpnha_gate_moved(__u32 gateway, __u32 kind) {
    return gateway * VPNHA_GATE_MOVED_KINDS + kind;
}

/* Index of a counter of drops. */
static inline __u32 vpnha_gate_counter(__u32 gateway, __u32 direction, __u32 reason, __u32 kind) {
    return ((gateway * VPNHA_GATE_DIRECTIONS + direction) * VPNHA_GATE_REASONS + reason) *
               VPNHA_GATE_KINDS +
           kind;
}

#endif
