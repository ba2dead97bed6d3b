/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The L2TP session under this pppd, read from the kernel. */
#ifndef VPNHA_L2TP_SOCKET_H
#define VPNHA_L2TP_SOCKET_H

#include "message.h"

/* Fills in protocol, ids and what another node could not resume, and returns 1. Returns 0 if this
 * pppd does not run over an L2TPv2 session in IPv4. */
int vpnha_find_l2tp_session(struct vpnha_session* session);

#endif
