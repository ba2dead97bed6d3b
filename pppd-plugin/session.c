/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "session.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pppd.h"
#include "timeouts.h"

/* In pppd's lcp.c and exported, but in no header. */
extern int lcp_echo_interval;
extern int lcp_echo_fails;
extern bool lcp_echo_adaptive;
extern int chap_rechallenge_time;
/* Like libpcap's struct bpf_program, whose header may be missing. */
struct filter {
    unsigned length;
    void* instructions;
};
extern struct filter pass_filter, active_filter;

enum { MRU_DEFAULT = 1500, U16_MAX = 65535 };

_Static_assert(MPPE_MAX_KEY_LEN == VPNHA_MPPE_KEY_BYTES, "pppd has the longest keys of MPPE");

static struct vpnha_mppe_keys mppe_keys;
static int has_keys = 0;

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

/* The strength of MPPE that both ends agreed on, if stateless and with known keys; 0 otherwise. */
static uint8_t stateless_mppe_bits(void) {
    const int options = ccp_gotoptions[0].mppe;
    if (!has_keys || options != ccp_hisoptions[0].mppe) {
        return 0;
    }
    return options == MPPE_OPT_128 ? 128 : options == MPPE_OPT_40 ? 40 : 0;
}

static uint32_t not_resumable(struct vpnha_session* session) {
    uint32_t reasons = 0;
    const int ccp = ccp_fsm[0].state;
    /* A negotiation counts: CCP may open at any time, and is checked again when it has opened. */
    if (ccp == OPENED || ccp == REQSENT || ccp == ACKRCVD || ccp == ACKSENT) {
        const int mppe = ccp == OPENED && (ccp_gotoptions[0].mppe || ccp_hisoptions[0].mppe);
        if (!mppe) {
            reasons |= VPNHA_NOT_COMPRESSION;
        } else if (!session->transport.has_mppe) {
            reasons |= VPNHA_NOT_MPPE;
        } else {
            session->mppe_bits = stateless_mppe_bits();
            session->mppe_keys = mppe_keys;
            reasons |= session->mppe_bits == 0 ? VPNHA_NOT_STATELESS : 0;
        }
    }
    if (ipcp_gotoptions[0].neg_vj || ipcp_hisoptions[0].neg_vj) {
        reasons |= VPNHA_NOT_VJ;
    }
    if (lcp_gotoptions[0].neg_mrru || lcp_hisoptions[0].neg_mrru) {
        reasons |= VPNHA_NOT_MULTILINK;
    }
    if (pass_filter.length != 0 || active_filter.length != 0) {
        reasons |= VPNHA_NOT_FILTERED;
    }
    if (chap_rechallenge_time != 0) {
        reasons |= VPNHA_NOT_CHALLENGED;
    }
    return reasons;
}

void vpnha_keep_mppe_keys(void) {
    has_keys = mppe_get_send_key(mppe_keys.send, VPNHA_MPPE_KEY_BYTES) == VPNHA_MPPE_KEY_BYTES &&
               mppe_get_recv_key(mppe_keys.receive, VPNHA_MPPE_KEY_BYTES) == VPNHA_MPPE_KEY_BYTES;
}

void vpnha_forget_mppe_keys(void) {
    has_keys = 0;
    explicit_bzero(&mppe_keys, sizeof mppe_keys);
}

static uint64_t identifier(const eui64_t* from) {
    return (uint64_t)ntohl(from->e32[0]) << 32 | ntohl(from->e32[1]);
}

static void collect_ipv6(struct vpnha_session* session) {
    const int is_open = ipv6cp_fsm[0].state == OPENED && session->transport.ids_length != 0;
    session->our_identifier = is_open ? identifier(&ipv6cp_gotoptions[0].ourid) : 0;
    session->peer_identifier = is_open ? identifier(&ipv6cp_hisoptions[0].hisid) : 0;
}

void vpnha_collect_session(struct vpnha_session* session) {
    session->pid = (uint32_t)getpid();
    collect_link(&lcp_gotoptions[0], &session->ours);
    collect_link(&lcp_hisoptions[0], &session->theirs);
    session->our_ppp_address = ntohl(ipcp_gotoptions[0].ouraddr);
    session->peer_ppp_address = ntohl(ipcp_hisoptions[0].hisaddr);
    collect_ipv6(session);
    session->echo_interval_s = clamp_u16(lcp_echo_interval);
    session->echo_failures = clamp_u16(lcp_echo_fails);
    session->echo_is_adaptive = lcp_echo_adaptive;
    session->timeouts = vpnha_timeouts_now();
    snprintf(session->user, sizeof session->user, "%s", ppp_peer_authname(NULL, 0));
    snprintf(session->interface, sizeof session->interface, "%s", ppp_ifname());
    session->mtu = clamp_u16(ppp_get_mtu(0));
    session->mppe_bits = 0;
    session->not_resumable |= not_resumable(session);
}
