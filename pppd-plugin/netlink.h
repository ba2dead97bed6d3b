/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests to the kernel by rtnetlink. The kernel answers within the call of the request; a wait
 * is bounded by 200 ms. */
#ifndef VPNHA_NETLINK_H
#define VPNHA_NETLINK_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

/* -1: failed. Dumps have only what a request names (NETLINK_GET_STRICT_CHK). */
int vpnha_netlink_open(void);

/* Sends `request` and calls `take` for each message of the answer, until its end: that of a dump,
 * or the acknowledgement. 0: the kernel has refused, or did not answer. */
int vpnha_netlink_ask(int fd, const struct nlmsghdr* request,
                      void (*take)(void* context, const struct nlmsghdr* message), void* context);

#endif
