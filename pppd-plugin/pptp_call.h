/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PPTP call that this pppd runs over. */
#ifndef VPNHA_PPTP_CALL_H
#define VPNHA_PPTP_CALL_H

#include "message.h"

/* Fills in the transport, and returns 1. Returns 0 if this pppd was not started
 * by pptpctrl. */
int vpnha_find_pptp_call(struct vpnha_session* session);

#endif
