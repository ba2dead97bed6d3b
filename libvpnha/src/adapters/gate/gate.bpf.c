// SPDX-License-Identifier: GPL-2.0-or-later
// The gate: what comes from or goes to a covered address passes only before its gateway's deadline.
//
// It runs at tc ingress and egress, where a drop can be silent to local senders (an EPERM from
// netfilter ends pptpctrl) and where no flush of a ruleset reaches it. It fails closed for covered
// addresses, and knows nothing of others: those go on to the next filter.
//
// What is covered is read relative to the network header, so that devices without a link-layer
// header work too. ICMP errors of this node from a VIP have it as source and need no rule of their
// own. IPv6 has no covered addresses yet.
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
    __type(key, struct vpnha_gate_prefix);
    __type(value, __u32);
} covered4 SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, VPNHA_GATE_GATEWAYS);
    __type(key, __u32);
    __type(value, __u64);
} deadline SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, VPNHA_GATE_GATEWAYS* VPNHA_GATE_DIRECTIONS);
    __type(key, __u32);
    __type(value, __u64);
} drops SEC(".maps");

// The ARP header up to where the addresses begin (RFC 826).
struct arp_start {
    __be16 hardware_type;
    __be16 protocol_type;
    __u8 hardware_length;
    __u8 protocol_length;
    __be16 operation;
};

#define IPV4_SOURCE_OFFSET 12
#define IPV4_DESTINATION_OFFSET 16
#define VLAN_TAG_BYTES 4
#define VLAN_TAGS_MAX 2

static __always_inline int verdict(__be32 address, __u32 direction) {
    struct vpnha_gate_prefix host = {.length = 32, .address = address};
    __u32* gateway = bpf_map_lookup_elem(&covered4, &host);
    if (!gateway) {
        return TC_ACT_UNSPEC;
    }
    __u32 id = *gateway;
    __u64* until = bpf_map_lookup_elem(&deadline, &id);
    if (until && bpf_ktime_get_boot_ns() < *until) {
        return TC_ACT_UNSPEC;
    }
    __u32 counter = id * VPNHA_GATE_DIRECTIONS + direction;
    __u64* count = bpf_map_lookup_elem(&drops, &counter);
    if (count) {
        ++*count;
    }
    // A packet that is shot at egress is reported as ENOBUFS to sockets that ask for errors, and as
    // congestion to TCP; a stolen one counts as sent.
    return direction == VPNHA_GATE_OUT ? TC_ACT_STOLEN : TC_ACT_SHOT;
}

// `start` names the header that `offset` counts from. Bytes that cannot be read belong to no packet
// that a stack would take for a covered address.
static __always_inline int ipv4(struct __sk_buff* skb, __u32 start, __u32 offset, __u32 direction) {
    __be32 address;
    offset += direction == VPNHA_GATE_OUT ? IPV4_SOURCE_OFFSET : IPV4_DESTINATION_OFFSET;
    if (bpf_skb_load_bytes_relative(skb, offset, &address, sizeof(address), start)) {
        return TC_ACT_UNSPEC;
    }
    return verdict(address, direction);
}

static __always_inline int arp(struct __sk_buff* skb, __u32 start, __u32 offset, __u32 direction) {
    struct arp_start header;
    __be32 address;
    if (bpf_skb_load_bytes_relative(skb, offset, &header, sizeof(header), start) ||
        header.protocol_type != bpf_htons(ETH_P_IP) || header.protocol_length != sizeof(address)) {
        return TC_ACT_UNSPEC;
    }
    offset += sizeof(header) + header.hardware_length;  // The sender's protocol address.
    if (direction == VPNHA_GATE_IN) {
        offset += sizeof(address) + header.hardware_length;  // The target's.
    }
    if (bpf_skb_load_bytes_relative(skb, offset, &address, sizeof(address), start)) {
        return TC_ACT_UNSPEC;
    }
    return verdict(address, direction);
}

static __always_inline int gate(struct __sk_buff* skb, __u32 direction) {
    __be16 protocol = (__be16)skb->protocol;
    __u32 start = BPF_HDR_START_NET;
    __u32 offset = 0;
    // A tag still within the frame: kernels disagree on which side of it the network header lies,
    // so such frames are read from their first byte.
    if (protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD)) {
        start = BPF_HDR_START_MAC;
        offset = sizeof(struct ethhdr);
#pragma unroll
        for (int tag = 0; tag < VLAN_TAGS_MAX; ++tag) {
            if (protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD)) {
                if (bpf_skb_load_bytes_relative(skb, offset + 2, &protocol, sizeof(protocol),
                                                start)) {
                    return TC_ACT_UNSPEC;
                }
                offset += VLAN_TAG_BYTES;
            }
        }
    }
    if (protocol == bpf_htons(ETH_P_IP)) {
        return ipv4(skb, start, offset, direction);
    }
    if (protocol == bpf_htons(ETH_P_ARP)) {
        return arp(skb, start, offset, direction);
    }
    return TC_ACT_UNSPEC;
}

SEC("tc")
int gate_in(struct __sk_buff* skb) {
    return gate(skb, VPNHA_GATE_IN);
}

SEC("tc")
int gate_out(struct __sk_buff* skb) {
    return gate(skb, VPNHA_GATE_OUT);
}

const char kLicense[] SEC("license") = "GPL";
