/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pppd plugin vpnha.so: asks vpnhad for the client's address, reports the session to it at ip-up,
 * and the end at ip-down and exit. In between it stays connected, so that vpnhad detects pppd's
 * death by the end of the connection.
 *
 * The session never depends on vpnhad. Connecting and sending do not wait. The wait for vpnhad's
 * answer is bounded by vpnha_wait; the answer is logged: whether the session is protected. While
 * vpnhad is absent, pppd's own timers retry, so that a restarted one receives the session.
 *
 * pppd's loop offers no callback for a plugin's descriptor, so the plugin checks the connection
 * every WATCH_S seconds: a restarted vpnhad has all sessions within WATCH_S + 1 seconds.
 *
 * The plugin asks for an address before IPCP begins. If vpnhad answers that there is none, the
 * session ends. If vpnhad is absent, or slow, the client gets the address of pppd's options.
 *
 * The plugin handles Session-Timeout and Idle-Timeout itself: vpnhad may change them.
 *
 * CCP and IPv6CP may open after ip-up. The snoop hook gets their frames, and the session is sent
 * again after they have changed it. When IPv6CP opens, the plugin sets routes to the prefixes that
 * a RADIUS server has assigned. The session is also sent again after scripts have changed its
 * device, or DHCP servers have added routes. The plugin checks both at growing intervals. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "device.h"
#include "l2tp_socket.h"
#include "link.h"
#include "message.h"
#include "pppd.h"
#include "pptp_call.h"
#include "radius.h"
#include "routes.h"
#include "session.h"
#include "timeouts.h"

#define EXPORTED __attribute__((visibility("default")))

enum { WATCH_S = 5, RETRY_S_MIN = 1, RETRY_S_MAX = 60 };
/* ip-up stops pppd's loop, LCP echo included, for at most that time. */
enum { WAIT_MS_DEFAULT = 100, WAIT_MS_MAX = 2000 };
/* vpnhad answers within a second. */
enum { ADDRESS_WAIT_MS = 1500 };
enum { PPP_HEADER_BYTES = 4 };
enum { PATH_BYTES = 32, NAME_BYTES = 32 };
/* The device and its routes are checked 1, 2, 4 … times WATCH_S after ip-up, then once in that
 * many watches. */
enum { DEVICE_WATCHES = 64 };

/* pppd loads the plugin only if this is its own version. */
EXPORTED char pppd_version[] = PPPD_VERSION;
EXPORTED void plugin_init(void);

/* pppd frees the old value of a string option: they start as null. */
static char* gateway_name = NULL;
static char* socket_path = NULL;
static int wait_ms = WAIT_MS_DEFAULT;
static bool accounts = 0;

static struct vpnha_link vpnhad = {.fd = -1};
static struct vpnha_session session;
static int session_is_up = 0;
static int absence_is_logged = 0;
static int retry_s = RETRY_S_MIN;
static unsigned watches = 0; /* Since ip-up. */
static void (*next_snoop)(unsigned char*, int) = NULL;
static void (*next_choose)(u_int32_t*) = NULL;
static int is_routed = 0;  /* RADIUS's prefixes, since IPv6CP has opened. */
static int is_learned = 0; /* vpnhad's answer applies to the next choice. */

static void watch(void* unused);

/* For root only: a user's ~/.ppprc must not choose the socket that gets the keys. */
static option_t options[] = {
    {.name = "vpnha_gateway",
     .type = o_string,
     .addr = &gateway_name,
     .flags = OPT_PRIO | OPT_PRIV,
     .description = "vpnha: the gateway that this session belongs to"},
    {.name = "vpnha_socket",
     .type = o_string,
     .addr = &socket_path,
     .flags = OPT_PRIO | OPT_PRIV,
     .description = "vpnha: socket of vpnhad"},
    {.name = "vpnha_wait",
     .type = o_int,
     .addr = &wait_ms,
     .flags = OPT_PRIO | OPT_PRIV | OPT_LIMITS,
     .description = "vpnha: how many ms ip-up waits for vpnhad's answer",
     .upper_limit = WAIT_MS_MAX,
     .lower_limit = 0},
    {.name = "vpnha_accounting",
     .type = o_bool,
     .addr = &accounts,
     .flags = OPT_PRIO | OPT_PRIV | 1,
     .description = "vpnha: vpnhad does the accounting, radius.so does none"},
    {.name = NULL},
};

static int has_gateway(void) {
    return gateway_name != NULL && gateway_name[0] != '\0';
}

static const char* path_of_socket(void) {
    return socket_path != NULL ? socket_path : "/run/vpnha/pppd.sock";
}

static void hang_up(void* unused) {
    (void)unused;
    lcp_close(0, "No address");
}

static void take_answer(void) {
    switch (vpnhad.answer.kind) {
        case VPNHA_PROTECTED:
            info("vpnha: session is protected");
            break;
        case VPNHA_UNPROTECTED:
            warn("vpnha: session is not protected: %s", vpnhad.answer.reason);
            break;
        case VPNHA_REFUSED:
            error("vpnha: session is ended: %s", vpnhad.answer.reason);
            /* Not from within a hook of IPCP. */
            ppp_timeout(hang_up, NULL, 0, 0);
            break;
        case VPNHA_CHANGED:
            info("vpnha: the session's time-outs are now %u s, idle %u s (0: none)",
                 vpnhad.answer.timeouts.session_s, vpnhad.answer.timeouts.idle_s);
            vpnha_change_timeouts(vpnhad.answer.timeouts);
            if (vpnhad.answer.rate.length != 0) {
                vpnha_change_rate(&vpnhad.answer.rate);
            }
            break;
        case VPNHA_GIVEN: /* It came too late. */
        case VPNHA_MALFORMED:
            break;
    }
}

static void look_again_in(int seconds) {
    ppp_untimeout(watch, NULL);
    ppp_timeout(watch, NULL, seconds, 0);
}

static void log_absence(const char* what) {
    if (!absence_is_logged) {
        info("vpnha: session is not protected: %s (%s); trying again", what, path_of_socket());
        absence_is_logged = 1;
    }
}

static void notify_session(void) {
    uint8_t message[VPNHA_MESSAGE_BYTES_MAX];
    const size_t length = vpnha_encode_session_up(&session, message);
    const int sent = (vpnhad.fd >= 0 || vpnha_link_open(&vpnhad, path_of_socket()) == 0) &&
                     vpnha_link_send(&vpnhad, message, length) == 0;
    const int error = errno;
    /* It may contain keys. */
    explicit_bzero(message, sizeof message);
    if (!sent) {
        log_absence(strerror(error));
        look_again_in(retry_s);
        retry_s = retry_s * 2 < RETRY_S_MAX ? retry_s * 2 : RETRY_S_MAX;
        return;
    }
    absence_is_logged = 0;
    retry_s = RETRY_S_MIN;
    look_again_in(WATCH_S);
}

/* Handles all messages of vpnhad, waiting `wait` ms for the first one. */
static void handle(int wait) {
    while (vpnhad.fd >= 0) {
        const enum vpnha_link_event event = vpnha_link_receive(&vpnhad, wait);
        if (event == VPNHA_LINK_QUIET) {
            return;
        }
        if (event == VPNHA_LINK_LOST) {
            log_absence("vpnhad closed the connection");
            look_again_in(RETRY_S_MIN);
            return;
        }
        take_answer();
        wait = 0;
    }
}

static int is_child_of_xl2tpd(void) {
    char path[PATH_BYTES], name[NAME_BYTES] = "";
    FILE* file;
    snprintf(path, sizeof path, "/proc/%d/comm", (int)getppid());
    file = fopen(path, "re");
    if (file != NULL) {
        (void)!fgets(name, sizeof name, file);
        fclose(file);
    }
    return strcmp(name, "xl2tpd\n") == 0;
}

/* Once: later changes by others are kept. */
static void route_prefixes(void) {
    const int is_open = session.our_identifier != 0;
    if (is_open && !is_routed && session.prefix_count != 0 &&
        !vpnha_set_routes(session.interface, &session)) {
        warn("vpnha: no route to the RADIUS server's prefixes of IPv6");
    }
    is_routed = is_open;
}

static void collect(void) {
    session.not_resumable = 0;
    if (!vpnha_find_l2tp_session(&session) && !vpnha_find_pptp_call(&session)) {
        session.transport = (struct vpnha_transport){.protocol = "other"};
        session.not_resumable |= is_child_of_xl2tpd() ? VPNHA_NOT_IN_KERNEL : VPNHA_NOT_CARRIED;
    }
    vpnha_collect_session(&session);
    vpnha_collect_radius(&session);
    route_prefixes();
    (void)vpnha_read_routes(session.interface, &session);
    vpnha_read_device(session.interface, &session);
}

static void look_at_change(void* unused) {
    uint8_t before[VPNHA_MESSAGE_BYTES_MAX], now[VPNHA_MESSAGE_BYTES_MAX];
    size_t length;
    (void)unused;
    if (!session_is_up) {
        return;
    }
    length = vpnha_encode_session_up(&session, before);
    collect();
    if (vpnha_encode_session_up(&session, now) != length || memcmp(now, before, length) != 0) {
        notify_session();
    }
    /* They may contain keys. */
    explicit_bzero(before, sizeof before);
    explicit_bzero(now, sizeof now);
}

static void watch(void* unused) {
    (void)unused;
    if (!session_is_up) {
        return;
    }
    if (vpnhad.fd < 0 || session.pid != (uint32_t)getpid()) {
        collect(); /* vpnhad came back, or pppd has detached and has a new pid. */
        notify_session();
    } else {
        look_again_in(WATCH_S);
        handle(0);
        watches++;
        if ((watches & (watches - 1)) == 0 || watches % DEVICE_WATCHES == 0) {
            look_at_change(NULL);
        }
    }
}

static void on_frame(unsigned char* frame, int length) {
    if (session_is_up && length >= PPP_HEADER_BYTES) {
        const int protocol = frame[2] << 8 | frame[3];
        if (protocol == PPP_CCP || protocol == PPP_IPV6CP) {
            /* pppd has not handled it yet. */
            ppp_untimeout(look_at_change, NULL);
            ppp_timeout(look_at_change, NULL, 0, 0);
        }
    }
    if (next_snoop != NULL) {
        next_snoop(frame, length);
    }
}

/* 0: vpnhad is absent, or does not answer in time. */
static int ask_for_address(void) {
    uint8_t message[VPNHA_MESSAGE_BYTES_MAX];
    const size_t length =
        vpnha_encode_asks(gateway_name, (uint32_t)getpid(), ppp_peer_authname(NULL, 0), message);
    if ((vpnhad.fd < 0 && vpnha_link_open(&vpnhad, path_of_socket()) != 0) ||
        vpnha_link_send(&vpnhad, message, length) != 0) {
        return 0;
    }
    while (vpnha_link_receive(&vpnhad, ADDRESS_WAIT_MS) == VPNHA_LINK_ANSWERED) {
        if (vpnhad.answer.kind == VPNHA_GIVEN || vpnhad.answer.kind == VPNHA_REFUSED) {
            return 1;
        }
        take_answer();
    }
    return 0;
}

static int is_known_to_vpnhad(void) {
    struct vpnha_session carried = {.not_resumable = 0};
    return has_gateway() && (vpnha_find_l2tp_session(&carried) || vpnha_find_pptp_call(&carried));
}

static int learn_address(void) {
    if (ask_for_address()) {
        return 1;
    }
    warn("vpnha: no address from vpnhad (%s): the client gets this node's own", path_of_socket());
    return 0;
}

/* If a hook sets an address, pppd ignores ipcp-accept-remote. So without a common pool this plugin
 * sets no hook. Another plugin's hook chooses first, so in that case vpnhad is not asked yet. */
static int has_to_choose(void) {
    if (ip_choose_hook != NULL) {
        return 1;
    }
    is_learned = is_known_to_vpnhad() && learn_address() &&
                 (vpnhad.answer.kind == VPNHA_REFUSED || vpnhad.answer.address != 0);
    return is_learned;
}

static void choose_address(u_int32_t* address) {
    const u_int32_t before = *address;
    const int knows = is_learned;
    is_learned = 0;
    if (next_choose != NULL) {
        next_choose(address);
    }
    if (*address != before || !is_known_to_vpnhad()) {
        return; /* Another plugin, such as RADIUS's, has chosen; or it is no session of vpnhad. */
    }
    if (!knows && !learn_address()) {
        return;
    }
    if (vpnhad.answer.kind == VPNHA_REFUSED) {
        *address = 0;
        take_answer();
    } else if (vpnhad.answer.address != 0) {
        *address = htonl(vpnhad.answer.address);
        /* radius.so allows an address that is already chosen. */
        if (!auth_ip_addr(0, *address)) {
            *address = before; /* The user has an address of its own in pppd's secrets. */
        }
    }
}

/* Whichever plugin was loaded last, this hook is the first one. */
static void on_phase(void* unused, int phase_now) {
    (void)unused;
    if (phase_now == PHASE_AUTHENTICATE) {
        vpnha_follow_radius(accounts);
    }
    if (phase_now != PHASE_RUNNING) {
        vpnha_give_timeouts_back();
    } else if (has_gateway()) {
        vpnha_take_timeouts();
    }
    if (phase_now == PHASE_NETWORK && ip_choose_hook != choose_address && has_to_choose()) {
        next_choose = ip_choose_hook;
        ip_choose_hook = choose_address;
    }
}

static void on_auth_up(void* unused, int argument) {
    (void)unused;
    (void)argument;
    vpnha_keep_mppe_keys();
}

static void forget_secrets(void) {
    vpnha_forget_mppe_keys();
    explicit_bzero(&session, sizeof session);
}

static void on_ip_up(void* unused, int argument) {
    struct timespec now;
    (void)unused;
    (void)argument;
    memset(&session, 0, sizeof session);
    is_routed = 0;
    collect();
    snprintf(session.gateway, sizeof session.gateway, "%s", has_gateway() ? gateway_name : "");
    clock_gettime(CLOCK_BOOTTIME, &now);
    session.established_boot_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    session_is_up = 1;
    notify_session();
    watches = 0;
    handle(wait_ms);
}

static void on_ip_down(void* unused, int argument) {
    uint8_t message[VPNHA_MESSAGE_BYTES_MAX];
    struct vpnha_traffic traffic;
    (void)unused;
    (void)argument;
    if (!session_is_up) {
        return;
    }
    session_is_up = 0;
    ppp_untimeout(watch, NULL);
    ppp_untimeout(look_at_change, NULL);
    if (vpnhad.fd >= 0) {
        const int is_known = vpnha_read_traffic(ppp_ifname(), &traffic);
        (void)vpnha_link_send(&vpnhad, message,
                              vpnha_encode_session_down(vpnha_end_cause((int)ppp_status()),
                                                        is_known ? &traffic : NULL, message));
    }
}

static void on_exit_of_pppd(void* unused, int argument) {
    uint8_t message[VPNHA_MESSAGE_BYTES_MAX];
    (void)unused;
    (void)argument;
    if (vpnhad.fd >= 0) {
        (void)vpnha_link_send(&vpnhad, message, vpnha_encode_exit(message));
        vpnha_link_close(&vpnhad);
    }
    forget_secrets();
}

void plugin_init(void) {
    ppp_add_options(options);
    ppp_add_notify(NF_PHASE_CHANGE, on_phase, NULL);
    ppp_add_notify(NF_AUTH_UP, on_auth_up, NULL);
    ppp_add_notify(NF_IP_UP, on_ip_up, NULL);
    ppp_add_notify(NF_IP_DOWN, on_ip_down, NULL);
    ppp_add_notify(NF_EXIT, on_exit_of_pppd, NULL);
    next_snoop = snoop_recv_hook;
    snoop_recv_hook = on_frame;
}
