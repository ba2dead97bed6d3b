/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Session-Timeout and Idle-Timeout, in place of pppd's own timers: those cannot be changed once the
 * link is up, and a RADIUS server may want that (RFC 5176). They end the link as pppd's would,
 * with or without vpnhad. */
#ifndef VPNHA_TIMEOUTS_H
#define VPNHA_TIMEOUTS_H

#include "message.h"

/* To be called just before the link is up: clears pppd's `maxconnect` and `idle` before it arms its
 * timers. If another plugin determines what is idle (idle_time_hook), `idle` stays pppd's. */
void vpnha_take_timeouts(void);
/* The link is down, or was never up. Restores pppd's options. */
void vpnha_give_timeouts_back(void);

/* The current ones, pppd's or ours. */
struct vpnha_timeouts vpnha_timeouts_now(void);
/* For a link that is up; session time counts from its begin, idle time from the last packet. */
void vpnha_change_timeouts(struct vpnha_timeouts wanted);

#endif
