/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the gate's program and its user space share. C, because the program is. */
#ifndef VPNHA_GATE_ABI_H
#define VPNHA_GATE_ABI_H

#include <linux/types.h>

/* Gateway ids are one octet; index 0 is never used. */
#define VPNHA_GATE_GATEWAYS 256
/* VIPs, PPP addresses and pools of 255 gateways at 16 each, ~64 bytes of kernel memory apiece. */
#define VPNHA_GATE_PREFIXES_MAX 4096

#define VPNHA_GATE_IN 0
#define VPNHA_GATE_OUT 1
#define VPNHA_GATE_DIRECTIONS 2

/* Deadlines are CLOCK_BOOTTIME in nanoseconds. */
#define VPNHA_GATE_SHUT 0ULL

/* Key of the trie of covered prefixes, in the layout the kernel demands. */
struct vpnha_gate_prefix { /* NOLINT(readability-identifier-naming): a C name. */
    __u32 length;
    __be32 address;
};

#endif
