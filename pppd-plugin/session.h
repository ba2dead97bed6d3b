/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What pppd negotiated, read from its own variables. */
#ifndef VPNHA_SESSION_H
#define VPNHA_SESSION_H

#include "message.h"

/* Fills in everything but gateway, time of establishment and what carries the link. Adds to
 * `not_resumable`. */
void vpnha_collect_session(struct vpnha_session* session);

/* pppd has MPPE's start keys from the peer's authentication until IPCP is up: they are kept here.
 */
void vpnha_keep_mppe_keys(void);
void vpnha_forget_mppe_keys(void);

#endif
