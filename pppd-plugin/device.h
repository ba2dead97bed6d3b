/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What pppd and its scripts have changed on the link's device and for its client, beyond PPP's
 * negotiation. */
#ifndef VPNHA_DEVICE_H
#define VPNHA_DEVICE_H

#include "message.h"

/* To be called after the session and its routes were collected. Fills in the addresses for which
 * this node answers ARP or neighbour solicitations for the client. Adds to `not_resumable` what
 * another node would not set: addresses of the device that IPCP or IPv6CP have not negotiated, a
 * queueing discipline, more than VPNHA_PROXIED_MAX of those addresses. Without an answer of the
 * kernel they are not filled in. */
void vpnha_read_device(const char* interface, struct vpnha_session* session);

#endif
