/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In the place of libbpf's: what the gate's program asks of the kernel, as functions that proof.c
 * defines. */
#ifndef VPNHA_PROOF_BPF_HELPERS_H
#define VPNHA_PROOF_BPF_HELPERS_H

#define SEC(name)
#define __uint(name, value) int(*name)[value]
#define __type(name, value) __typeof__(value)* name
#ifndef __always_inline
#define __always_inline inline
#endif
#define __noinline
/* CBMC knows this one. */
#define __builtin_memcpy memcpy
void* memcpy(void* to, const void* from, unsigned long size);

void* bpf_map_lookup_elem(void* map, const void* key);
long bpf_map_update_elem(void* map, const void* key, const void* value, __u64 flags);
__u64 bpf_ktime_get_boot_ns(void);
long bpf_skb_load_bytes(const void* skb, __u32 offset, void* to, __u32 size);
long bpf_skb_load_bytes_relative(const void* skb, __u32 offset, void* to, __u32 size, __u32 start);
long bpf_skb_store_bytes(struct __sk_buff* skb, __u32 offset, const void* from, __u32 size,
                         __u64 flags);
long bpf_redirect(__u32 device, __u64 flags);

#endif
