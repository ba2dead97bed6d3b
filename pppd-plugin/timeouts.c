/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "timeouts.h"

#include <limits.h>
#include <time.h>

#include "pppd.h"

static int are_ours = 0;
static int is_idleness_ours = 0;
static struct vpnha_timeouts now;
static struct { int session, idle; } of_pppd;
static time_t began_s; /* By CLOCK_MONOTONIC. */

/* Of an option. */
static uint32_t seconds(int value) {
    return value < 0 ? 0 : (uint32_t)value;
}

static int clamp(int64_t value) {
    return (int)(value < 0 ? 0 : value > INT_MAX ? INT_MAX : value);
}

static time_t clock_s(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec;
}

/* Like pppd's connect_time_expired(). */
static void end_session(void* unused) {
    (void)unused;
    info("Connect time expired");
    ppp_set_status(EXIT_CONNECT_TIME);
    lcp_close(0, "Connect time expired");
}

/* Like pppd's check_idle(). */
static void look_at_idleness(void* unused) {
    struct ppp_idle idle;
    (void)unused;
    if (!get_idle_time(0, &idle)) {
        return;
    }
    const int64_t quiet = idle.xmit_idle < idle.recv_idle ? idle.xmit_idle : idle.recv_idle;
    const int64_t left = (int64_t)now.idle_s - quiet;
    if (left > 0) {
        ppp_timeout(look_at_idleness, NULL, clamp(left), 0);
        return;
    }
    notice("Terminating connection due to lack of activity.");
    ppp_set_status(EXIT_IDLE_TIMEOUT);
    lcp_close(0, "Link inactive");
}

static void stop(void) {
    ppp_untimeout(end_session, NULL);
    ppp_untimeout(look_at_idleness, NULL);
}

static void start(void) {
    stop();
    if (now.session_s != 0) {
        const int64_t left = (int64_t)now.session_s - (int64_t)(clock_s() - began_s);
        ppp_timeout(end_session, NULL, clamp(left), 0);
    }
    if (now.idle_s != 0 && is_idleness_ours) {
        /* Each call finds out how long there was no packet. */
        ppp_timeout(look_at_idleness, NULL, are_ours ? 0 : clamp(now.idle_s), 0);
    }
}

void vpnha_take_timeouts(void) {
    vpnha_give_timeouts_back();
    now = vpnha_timeouts_now();
    of_pppd.session = ppp_get_max_connect_time();
    of_pppd.idle = ppp_get_max_idle_time();
    is_idleness_ours = idle_time_hook == NULL;
    began_s = clock_s();
    start();
    are_ours = 1;
    ppp_set_max_connect_time(0);
    if (is_idleness_ours) {
        ppp_set_max_idle_time(0);
    }
}

void vpnha_give_timeouts_back(void) {
    if (!are_ours) {
        return;
    }
    stop();
    are_ours = 0;
    ppp_set_max_connect_time((unsigned)of_pppd.session);
    ppp_set_max_idle_time((unsigned)of_pppd.idle);
}

struct vpnha_timeouts vpnha_timeouts_now(void) {
    if (are_ours) {
        return now;
    }
    return (struct vpnha_timeouts){seconds(ppp_get_max_connect_time()),
                                   seconds(ppp_get_max_idle_time())};
}

void vpnha_change_timeouts(struct vpnha_timeouts wanted) {
    if (are_ours) {
        now = wanted;
        start();
    }
}
