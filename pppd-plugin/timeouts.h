/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Session-Timeout and Idle-Timeout, in place of pppd's own timers: those cannot be changed once the
 * link is up, and a RADIUS server may want that (RFC 5176). They end the link as pppd's would,
 * whether vpnhad is there or not. */
#ifndef VPNHA_TIMEOUTS_H
#define VPNHA_TIMEOUTS_H

#include "message.h"

/* The link is about to be up: takes pppd's `maxconnect` and `idle` away before it arms its timers.
 * Where another plugin has a say in what is idle (idle_time_hook), `idle` stays pppd's. */
void vpnha_take_timeouts(void);
/* The link is down, or was never up. pppd has its options again. */
void vpnha_give_timeouts_back(void);

/* As they are now, pppd's or ours. */
struct vpnha_timeouts vpnha_timeouts_now(void);
/* Of a link that is up; the session's time counts from its begin, idleness from the last packet. */
void vpnha_change_timeouts(struct vpnha_timeouts wanted);

#endif
