/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What pppd's own plugin radius.so knows of the session, if it is loaded. */
#ifndef VPNHA_RADIUS_H
#define VPNHA_RADIUS_H

#include "message.h"

/* To be called once all plugins are loaded, before the peer authenticates: hooks into radius.so
 * for the server's answers. `accounts`: vpnhad does the accounting, and radius.so's is disabled. */
void vpnha_follow_radius(int accounts);
/* Fills in the server's attributes for the accounting, rates, and prefixes of IPv6. */
void vpnha_collect_radius(struct vpnha_session* session);

/* The session has this rate from now on, in place of the server's. */
void vpnha_change_rate(const struct vpnha_rate* rate);

/* Acct-Terminate-Cause (RFC 2866 5.10) for pppd's exit status; the same as radius.so's. */
uint8_t vpnha_end_cause(int status);

/* What the device has counted. 0: it is not known. */
int vpnha_read_traffic(const char* interface, struct vpnha_traffic* traffic);

#endif
