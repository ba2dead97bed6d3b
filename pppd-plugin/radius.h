/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What pppd's own plugin radius.so knows of the session, where it is loaded. */
#ifndef VPNHA_RADIUS_H
#define VPNHA_RADIUS_H

#include "message.h"

/* Once all plugins are loaded, before the peer authenticates: radius.so shows what the server
 * answers. `accounts`: vpnhad does the accounting, and radius.so's own is switched off. */
void vpnha_follow_radius(int accounts);
/* Fills in what the server gave for the accounting, of rates, and of prefixes of IPv6. */
void vpnha_collect_radius(struct vpnha_session* session);

/* The session has this rate from now on, whatever the server gave. */
void vpnha_change_rate(const struct vpnha_rate* rate);

/* Acct-Terminate-Cause (RFC 2866 5.10) of pppd's exit status; as radius.so has it. */
uint8_t vpnha_end_cause(int status);

/* What the device has counted. 0: it is not known. */
int vpnha_read_traffic(const char* interface, struct vpnha_traffic* traffic);

#endif
