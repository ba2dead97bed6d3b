/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The L2TP session under this pppd, as the kernel tells it. */
#ifndef VPNHA_L2TP_SOCKET_H
#define VPNHA_L2TP_SOCKET_H

#include "message.h"

/* Fills in protocol, ids and what of the session is not resumable, and returns 1; returns 0 when
 * this pppd runs over no L2TPv2 session in IPv4. */
int vpnha_find_l2tp_session(struct vpnha_session* session);

#endif
