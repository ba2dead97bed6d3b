/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "session.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* pppd's headers declare its variables by these. */
#define INET6 1
/* These build on those before them. */
/* clang-format off */
#include <pppd/pppd.h>
#include <pppd/fsm.h>
#include <pppd/lcp.h>
#include <pppd/ipcp.h>
#include <pppd/eui64.h>
#include <pppd/ipv6cp.h>
#include <pppd/ccp.h>
/* clang-format on */

/* In pppd's lcp.c and exported, but in no header. */
extern int lcp_echo_interval;
extern int lcp_echo_fails;

enum { MRU_DEFAULT = 1500, U16_MAX = 65535 };

static uint16_t clamp_u16(int value) {
    return (uint16_t)(value < 0 ? 0 : value > U16_MAX ? U16_MAX : value);
}

static void collect_link(const lcp_options* from, struct vpnha_link_options* to) {
    to->mru = from->neg_mru ? clamp_u16(from->mru) : MRU_DEFAULT;
    to->magic = from->neg_magicnumber ? from->magicnumber : 0;
    /* Not negotiated, it is RFC 1662's default: all control characters are escaped. */
    to->asyncmap = from->neg_asyncmap ? from->asyncmap : 0xffffffffu;
    to->protocol_compression = from->neg_pcompression;
    to->address_compression = from->neg_accompression;
}

static uint32_t not_resumable(void) {
    uint32_t reasons = 0;
    const int ccp = ccp_fsm[0].state;
    /* Under negotiation counts: it may open at any moment, and is looked at again when it has. */
    if (ccp == OPENED || ccp == REQSENT || ccp == ACKRCVD || ccp == ACKSENT) {
        const int mppe = ccp == OPENED && (ccp_gotoptions[0].mppe || ccp_hisoptions[0].mppe);
        reasons |= mppe ? VPNHA_NOT_MPPE : VPNHA_NOT_COMPRESSION;
    }
    if (ipcp_gotoptions[0].neg_vj || ipcp_hisoptions[0].neg_vj) {
        reasons |= VPNHA_NOT_VJ;
    }
    if (lcp_gotoptions[0].neg_mrru || lcp_hisoptions[0].neg_mrru) {
        reasons |= VPNHA_NOT_MULTILINK;
    }
    if (ipv6cp_fsm[0].state == OPENED) {
        reasons |= VPNHA_NOT_IPV6;
    }
    return reasons;
}

void vpnha_collect_session(struct vpnha_session* session) {
    session->pid = (uint32_t)getpid();
    collect_link(&lcp_gotoptions[0], &session->ours);
    collect_link(&lcp_hisoptions[0], &session->theirs);
    session->our_ppp_address = ntohl(ipcp_gotoptions[0].ouraddr);
    session->peer_ppp_address = ntohl(ipcp_hisoptions[0].hisaddr);
    session->echo_interval_s = clamp_u16(lcp_echo_interval);
    session->echo_failures = clamp_u16(lcp_echo_fails);
    snprintf(session->user, sizeof session->user, "%s", peer_authname);
    snprintf(session->interface, sizeof session->interface, "%s", ifname);
    session->not_resumable |= not_resumable();
}
