/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks behind the client, to which pppd's scripts or a DHCP server have set routes, and those
 * that a RADIUS server gave it. */
#ifndef VPNHA_ROUTES_H
#define VPNHA_ROUTES_H

#include "message.h"

/* Fills in the routes over `interface` that somebody has added, of any table: neither those that
 * the kernel makes of addresses, nor those of a routing protocol. Adds to `not_resumable` what
 * another node would not do: a default route, more than VPNHA_ROUTES_MAX. 0: the kernel does not
 * say, `session` is as before. */
int vpnha_read_routes(const char* interface, struct vpnha_session* session);

/* Sets routes to the prefixes of a RADIUS server over `interface`, in place of those that are
 * there. They go with the device. 0: not all of them could be set. */
int vpnha_set_routes(const char* interface, const struct vpnha_session* session);

#endif
