/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What pppd and its scripts have done to the link's device and for its client, and PPP has not
 * negotiated. */
#ifndef VPNHA_DEVICE_H
#define VPNHA_DEVICE_H

#include "message.h"

/* Of a session that is collected, with its routes. Fills in the addresses for which this node
 * answers ARP or neighbour solicitations in the client's place. Adds to `not_resumable` what
 * another node would not do: addresses of the device that IPCP or IPv6CP have not negotiated, a
 * queueing discipline, more than VPNHA_PROXIED_MAX of those addresses. What the kernel does not say
 * is not there. */
void vpnha_read_device(const char* interface, struct vpnha_session* session);

#endif
