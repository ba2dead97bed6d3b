/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What pppd negotiated, read from its own variables. */
#ifndef VPNHA_SESSION_H
#define VPNHA_SESSION_H

#include "message.h"

/* Fills in everything except gateway, time of establishment and transport. Adds to
 * `not_resumable`. */
void vpnha_collect_session(struct vpnha_session* session);

/* pppd deletes MPPE's start keys when IPCP is up. Called after the peer's authentication, this
 * keeps a copy of them. */
void vpnha_keep_mppe_keys(void);
void vpnha_forget_mppe_keys(void);

#endif
