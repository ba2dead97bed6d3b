/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What pppd negotiated, read from its own variables. */
#ifndef VPNHA_SESSION_H
#define VPNHA_SESSION_H

#include "message.h"

/* Fills in everything but gateway, time of establishment and what the L2TP socket knows. Adds to
 * `not_resumable`. */
void vpnha_collect_session(struct vpnha_session* session);

#endif
