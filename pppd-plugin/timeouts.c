/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "timeouts.h"

#include <limits.h>
#include <pppd/pppd.h>
#include <time.h>
/* These build on the one before them. */
#include <pppd/fsm.h>
#include <pppd/lcp.h>

static int are_ours = 0;
static int is_idleness_ours = 0;
static struct vpnha_timeouts now;
static struct { int session, idle; } of_pppd;
static time_t began_s; /* Of CLOCK_MONOTONIC. */

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

/* As pppd's connect_time_expired(). */
static void end_session(void* unused) {
    (void)unused;
    info("Connect time expired");
    status = EXIT_CONNECT_TIME;
    lcp_close(0, "Connect time expired");
}

/* As pppd's check_idle(). */
static void look_at_idleness(void* unused) {
    struct ppp_idle idle;
    (void)unused;
    if (!get_idle_time(0, &idle)) {
        return;
    }
    const int64_t quiet = idle.xmit_idle < idle.recv_idle ? idle.xmit_idle : idle.recv_idle;
    const int64_t left = (int64_t)now.idle_s - quiet;
    if (left > 0) {
        timeout(look_at_idleness, NULL, clamp(left), 0);
        return;
    }
    notice("Terminating connection due to lack of activity.");
    status = EXIT_IDLE_TIMEOUT;
    lcp_close(0, "Link inactive");
}

static void stop(void) {
    untimeout(end_session, NULL);
    untimeout(look_at_idleness, NULL);
}

static void start(void) {
    stop();
    if (now.session_s != 0) {
        const int64_t left = (int64_t)now.session_s - (int64_t)(clock_s() - began_s);
        timeout(end_session, NULL, clamp(left), 0);
    }
    if (now.idle_s != 0 && is_idleness_ours) {
        /* Each of them finds out how long there was no packet. */
        timeout(look_at_idleness, NULL, are_ours ? 0 : clamp(now.idle_s), 0);
    }
}

void vpnha_take_timeouts(void) {
    vpnha_give_timeouts_back();
    now = vpnha_timeouts_now();
    of_pppd.session = maxconnect;
    of_pppd.idle = idle_time_limit;
    is_idleness_ours = idle_time_hook == NULL;
    began_s = clock_s();
    start();
    are_ours = 1;
    maxconnect = 0;
    if (is_idleness_ours) {
        idle_time_limit = 0;
    }
}

void vpnha_give_timeouts_back(void) {
    if (!are_ours) {
        return;
    }
    stop();
    are_ours = 0;
    maxconnect = of_pppd.session;
    idle_time_limit = of_pppd.idle;
}

struct vpnha_timeouts vpnha_timeouts_now(void) {
    if (are_ours) {
        return now;
    }
    return (struct vpnha_timeouts){seconds(maxconnect), seconds(idle_time_limit)};
}

void vpnha_change_timeouts(struct vpnha_timeouts wanted) {
    if (are_ours) {
        now = wanted;
        start();
    }
}
