/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client's networks: those to which pppd's scripts or a DHCP server have set routes, and those
 * that a RADIUS server has assigned. */
#ifndef VPNHA_ROUTES_H
#define VPNHA_ROUTES_H

#include "message.h"

/* Fills in the routes over `interface`, of any table, that a program has added. Without those that
 * the kernel makes from addresses, and those of a routing protocol. Adds to `not_resumable` what
 * another node would not set: a default route, more than VPNHA_ROUTES_MAX. 0: the kernel did not
 * answer, and `session` is unchanged. */
int vpnha_read_routes(const char* interface, struct vpnha_session* session);

/* Sets routes to the prefixes of a RADIUS server over `interface`, in place of existing ones.
 * They are removed with the device. 0: not all of them could be set. */
int vpnha_set_routes(const char* interface, const struct vpnha_session* session);

#endif
