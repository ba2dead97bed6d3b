/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_pppd.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "l2tp_socket.h"
#include "pppd.h"
#include "pptp_call.h"

enum { TIMERS_MAX = 8, NOTIFIERS_MAX = 5 };

fsm ccp_fsm[NUM_PPP], ipv6cp_fsm[NUM_PPP];
ipv6cp_options ipv6cp_gotoptions[NUM_PPP], ipv6cp_hisoptions[NUM_PPP];
lcp_options lcp_gotoptions[NUM_PPP], lcp_hisoptions[NUM_PPP];
ipcp_options ipcp_gotoptions[NUM_PPP], ipcp_hisoptions[NUM_PPP];
ccp_options ccp_gotoptions[NUM_PPP], ccp_hisoptions[NUM_PPP];
int lcp_echo_interval, lcp_echo_fails;
bool lcp_echo_adaptive;
int chap_rechallenge_time;
struct filter {
    unsigned length;
    void* instructions;
} pass_filter, active_filter;
int (*idle_time_hook)(struct ppp_idle*);
struct notifier *ip_up_notifier, *ip_down_notifier;
void (*ip_choose_hook)(u_int32_t*);
void (*snoop_recv_hook)(unsigned char*, int);

static struct {
    void (*function)(void*);
    void* argument;
    int seconds;
} timers[TIMERS_MAX];
static struct {
    ppp_notify_t type;
    ppp_notify_fn* function;
} notifiers[NOTIFIERS_MAX];
static int max_connect_s, max_idle_s;
static ppp_exit_code_t exit_status;
static char peer_name[MAXNAMELEN], interface[16];
static unsigned char send_key[MPPE_MAX_KEY_LEN], receive_key[MPPE_MAX_KEY_LEN];
static int has_keys;
static option_t* plugin_options;
static char last_log[1024];
static int has_l2tp, has_pptp, is_sequenced, is_closed;
static int quiet_s;            /* Since the last packet. */
static uint32_t users_address; /* 0: any. */
static const u_int32_t* chosen;

void plugin_init(void);

static void* option_address(const char* name) {
    for (option_t* option = plugin_options; option->name != NULL; option++) {
        if (strcmp(option->name, name) == 0) {
            return option->addr;
        }
    }
    abort();
}

static void notify_all(ppp_notify_t type, int argument) {
    for (int i = 0; i < NOTIFIERS_MAX; i++) {
        if (notifiers[i].function != NULL && notifiers[i].type == type) {
            notifiers[i].function(NULL, argument);
        }
    }
}

void ppp_add_options(option_t* options) {
    plugin_options = options;
}

void ppp_add_notify(ppp_notify_t type, ppp_notify_fn* function, void* context) {
    (void)context;
    for (int i = 0; i < NOTIFIERS_MAX; i++) {
        if (notifiers[i].function == NULL) {
            notifiers[i].type = type;
            notifiers[i].function = function;
            return;
        }
    }
    abort();
}

void ppp_del_notify(ppp_notify_t type, ppp_notify_fn* function, void* context) {
    (void)type;
    (void)function;
    (void)context;
}

void ppp_timeout(void (*function)(void*), void* argument, int seconds, int microseconds) {
    (void)microseconds;
    for (int i = 0; i < TIMERS_MAX; i++) {
        if (timers[i].function == NULL) {
            timers[i].function = function;
            timers[i].argument = argument;
            timers[i].seconds = seconds;
            return;
        }
    }
    abort(); /* The plugin sets timers without end. */
}

void ppp_untimeout(void (*function)(void*), void* argument) {
    for (int i = 0; i < TIMERS_MAX; i++) {
        if (timers[i].function == function && timers[i].argument == argument) {
            timers[i].function = NULL;
        }
    }
}

#define LOG_FUNCTION(name)                                       \
    void name(vpnha_pppd_text* format, ...) {                    \
        va_list arguments;                                       \
        va_start(arguments, format);                             \
        vsnprintf(last_log, sizeof last_log, format, arguments); \
        va_end(arguments);                                       \
    }
LOG_FUNCTION(info)
LOG_FUNCTION(notice)
LOG_FUNCTION(warn)
LOG_FUNCTION(error)

int vpnha_find_l2tp_session(struct vpnha_session* session) {
    if (!has_l2tp) {
        return 0;
    }
    session->transport = (struct vpnha_transport){.protocol = "l2tp"};
    vpnha_add_id(&session->transport, 0xc0000233, 4);
    vpnha_add_id(&session->transport, 1701, 2);
    for (uint32_t id = 1; id <= 4; id++) {
        vpnha_add_id(&session->transport, id, 2);
    }
    if (is_sequenced) {
        session->not_resumable |= VPNHA_NOT_SEQUENCED;
    }
    return 1;
}

int vpnha_find_pptp_call(struct vpnha_session* session) {
    if (!has_pptp) {
        return 0;
    }
    session->transport = (struct vpnha_transport){.protocol = "pptp", .has_mppe = 1};
    vpnha_add_id(&session->transport, 0xc0000233, 4);
    vpnha_add_id(&session->transport, 40123, 2);
    vpnha_add_id(&session->transport, 136, 2);
    vpnha_add_id(&session->transport, 7, 2);
    return 1;
}

void lcp_close(int unit, char* reason) {
    (void)unit;
    (void)reason;
    is_closed = 1;
}

int get_idle_time(int unit, struct ppp_idle* idle) {
    (void)unit;
    idle->xmit_idle = quiet_s + 5;
    idle->recv_idle = quiet_s;
    return 1;
}

int auth_ip_addr(int unit, u_int32_t address) {
    (void)unit;
    return (users_address == 0 || address == htonl(users_address)) && address == *chosen;
}

int ppp_get_mtu(int unit) {
    (void)unit;
    return 1396;
}

const char* ppp_ifname(void) {
    return interface;
}

const char* ppp_peer_authname(char* buffer, size_t size) {
    (void)buffer;
    (void)size;
    return peer_name;
}

ppp_exit_code_t ppp_status(void) {
    return exit_status;
}

void ppp_set_status(ppp_exit_code_t code) {
    exit_status = code;
}

int ppp_get_max_connect_time(void) {
    return max_connect_s;
}

void ppp_set_max_connect_time(unsigned seconds) {
    max_connect_s = (int)seconds;
}

int ppp_get_max_idle_time(void) {
    return max_idle_s;
}

void ppp_set_max_idle_time(unsigned seconds) {
    max_idle_s = (int)seconds;
}

static int copy_key(unsigned char* to, const unsigned char* from, int length) {
    if (has_keys) {
        memcpy(to, from, (size_t)length);
    }
    return has_keys ? length : 0;
}

int mppe_get_send_key(unsigned char* key, int length) {
    return copy_key(key, send_key, length);
}

int mppe_get_recv_key(unsigned char* key, int length) {
    return copy_key(key, receive_key, length);
}

void fake_pppd_authenticate(void) {
    memset(send_key, 0x5a, sizeof send_key);
    memset(receive_key, 0xa5, sizeof receive_key);
    has_keys = 1;
    notify_all(NF_AUTH_UP, 0);
    /* As pppd does when CCP is up. */
    memset(send_key, 0, sizeof send_key);
    memset(receive_key, 0, sizeof receive_key);
}

void fake_pppd_over_pptp(int mppe) {
    has_l2tp = 0;
    has_pptp = 1;
    ccp_fsm[0].state = OPENED;
    ccp_gotoptions[0].mppe = (unsigned char)mppe;
    ccp_hisoptions[0].mppe = (unsigned char)mppe;
}

void fake_pppd_start(const char* gateway, const char* socket, int wait_ms) {
    memset(notifiers, 0, sizeof notifiers);
    memset(timers, 0, sizeof timers);
    snoop_recv_hook = NULL;
    ip_choose_hook = NULL;
    idle_time_hook = NULL;
    is_closed = 0;
    quiet_s = 0;
    users_address = 0;
    last_log[0] = '\0';
    plugin_init();
    *(const char**)option_address("vpnha_gateway") = gateway;
    *(const char**)option_address("vpnha_socket") = socket;
    *(int*)option_address("vpnha_wait") = wait_ms;
}

void fake_pppd_negotiate(void) {
    has_l2tp = 1;
    has_pptp = 0;
    has_keys = 0;
    is_sequenced = 0;
    memset(ccp_fsm, 0, sizeof ccp_fsm);
    memset(ipv6cp_fsm, 0, sizeof ipv6cp_fsm);
    memset(ipcp_gotoptions, 0, sizeof ipcp_gotoptions);
    memset(ipcp_hisoptions, 0, sizeof ipcp_hisoptions);
    memset(ccp_gotoptions, 0, sizeof ccp_gotoptions);
    memset(ccp_hisoptions, 0, sizeof ccp_hisoptions);
    lcp_gotoptions[0] = (lcp_options){.neg_mru = 1,
                                      .mru = 1410,
                                      .neg_magicnumber = 1,
                                      .magicnumber = 0xdeadbeef,
                                      .neg_pcompression = 1,
                                      .neg_asyncmap = 1,
                                      .asyncmap = 0};
    lcp_hisoptions[0] = (lcp_options){.mru = 9999, .magicnumber = 7, .asyncmap = 7};
    ipcp_gotoptions[0].ouraddr = htonl(0x0ac80001);
    ipcp_hisoptions[0].hisaddr = htonl(0x0ac8010a);
    lcp_echo_interval = 30;
    max_connect_s = 7200;
    max_idle_s = 900;
    lcp_echo_fails = 4;
    lcp_echo_adaptive = 1;
    chap_rechallenge_time = 0;
    pass_filter.length = 0;
    snprintf(peer_name, sizeof peer_name, "alice");
    snprintf(interface, sizeof interface, "ppp0");
}

void fake_pppd_remove_l2tp(void) {
    has_l2tp = 0;
}
void fake_pppd_name_peer(const char* name) {
    snprintf(peer_name, sizeof peer_name, "%s", name);
}

void fake_pppd_require_sequencing(void) {
    is_sequenced = 1;
}
void fake_pppd_open_ipv6cp(void) {
    ipv6cp_fsm[0].state = OPENED;
    ipv6cp_gotoptions[0].ourid.e32[1] = htonl(1);
    ipv6cp_hisoptions[0].hisid.e32[0] = htonl(2);
}
void fake_pppd_use_vj(void) {
    ipcp_hisoptions[0].neg_vj = 1;
}
void fake_pppd_use_filter_and_rechallenge(void) {
    pass_filter.length = 3;
    chap_rechallenge_time = 60;
}
void fake_pppd_use_multilink(void) {
    lcp_gotoptions[0].neg_mrru = 1;
}
void fake_pppd_enter_phase(int phase_now) {
    notify_all(NF_PHASE_CHANGE, phase_now);
}
int fake_pppd_own_session_timeout(void) {
    return max_connect_s;
}
int fake_pppd_own_idle_timeout(void) {
    return max_idle_s;
}
static int idle_of_a_plugin(struct ppp_idle* idle) {
    (void)idle;
    return 60;
}
void fake_pppd_load_idle_hook(void) {
    idle_time_hook = idle_of_a_plugin;
}
void fake_pppd_be_quiet(int seconds) {
    quiet_s = seconds;
}
int fake_pppd_status(void) {
    return (int)exit_status;
}
void fake_pppd_ip_up(void) {
    notify_all(NF_IP_UP, 0);
}
void fake_pppd_ip_down(void) {
    notify_all(NF_IP_DOWN, 0);
}
void fake_pppd_exit(void) {
    notify_all(NF_EXIT, 0);
}
void fake_pppd_users_address(uint32_t address) {
    users_address = address;
}
static int accepts_remote;
static uint32_t radius_address;
static void choose_by_radius(u_int32_t* address) {
    *address = radius_address != 0 ? htonl(radius_address) : *address;
}
void fake_pppd_load_radius(uint32_t address) {
    radius_address = address;
    ip_choose_hook = choose_by_radius;
}
struct fake_attribute {
    char name[33];
    int attribute, vendor, type;
    uint32_t length;
    unsigned char value[254];
    struct fake_attribute* next;
};
/* radius.so's, as this program exports it. */
__attribute__((visibility("default"))) void (*radius_attributes_hook)(struct fake_attribute*);

void fake_pppd_authenticate_by_radius(const char* first, const char* second, uint32_t interim_s) {
    enum { CLASS = 25, ACCT_INTERIM_INTERVAL = 85, REPLY_MESSAGE = 18, NO_VENDOR = -1 };
    struct fake_attribute classes[2] = {
        {.attribute = CLASS, .vendor = NO_VENDOR, .length = (uint32_t)strlen(first)},
        {.attribute = CLASS, .vendor = NO_VENDOR, .length = (uint32_t)strlen(second)}};
    struct fake_attribute other = {
        .attribute = REPLY_MESSAGE, .vendor = NO_VENDOR, .length = 2, .next = &classes[0]};
    struct fake_attribute interim = {.attribute = ACCT_INTERIM_INTERVAL,
                                     .vendor = NO_VENDOR,
                                     .type = 1,
                                     .length = interim_s,
                                     .next = &other};
    struct fake_attribute vendors = {.attribute = CLASS, .vendor = 311, .next = &interim};
    memcpy(classes[0].value, first, strlen(first));
    memcpy(classes[1].value, second, strlen(second));
    classes[0].next = &classes[1];
    notify_all(NF_PHASE_CHANGE, PHASE_AUTHENTICATE);
    radius_attributes_hook(&vendors);
}
void fake_pppd_limit_by_radius(const char* filter, uint32_t up) {
    enum { FILTER_ID = 11, WISPR = 14122, MAX_UP = 7, NO_VENDOR = -1 };
    struct fake_attribute number = {.attribute = MAX_UP, .vendor = WISPR, .type = 1, .length = up};
    struct fake_attribute other = {
        .attribute = FILTER_ID, .vendor = WISPR, .length = 1, .value = "9", .next = &number};
    struct fake_attribute text = {.attribute = FILTER_ID,
                                  .vendor = NO_VENDOR,
                                  .length = (uint32_t)strlen(filter),
                                  .next = &other};
    memcpy(text.value, filter, strlen(filter));
    notify_all(NF_PHASE_CHANGE, PHASE_AUTHENTICATE);
    radius_attributes_hook(&text);
}
void fake_pppd_give_prefix_by_radius(int attribute, unsigned bits, const void* octets,
                                     uint32_t octet_count) {
    enum { GIVEN_MAX = 4, NO_VENDOR = -1 };
    static struct fake_attribute given[GIVEN_MAX];
    static unsigned count = 0;
    if (attribute == 0 || count == GIVEN_MAX) {
        count = 0;
        return;
    }
    given[count] = (struct fake_attribute){
        .attribute = attribute, .vendor = NO_VENDOR, .type = 6, .length = 2 + octet_count};
    given[count].value[1] = (unsigned char)bits;
    memcpy(given[count].value + 2, octets, octet_count);
    if (count > 0) {
        given[count - 1].next = &given[count];
    }
    count++;
    notify_all(NF_PHASE_CHANGE, PHASE_AUTHENTICATE);
    radius_attributes_hook(&given[0]);
}
void fake_pppd_set_status(int value) {
    exit_status = (ppp_exit_code_t)value;
}
void fake_pppd_use_device(const char* name) {
    snprintf(interface, sizeof interface, "%s", name);
}

uint32_t fake_pppd_choose(uint32_t own) {
    u_int32_t address = htonl(own);
    chosen = &address;
    notify_all(NF_PHASE_CHANGE, PHASE_NETWORK);
    accepts_remote = 1;
    /* pppd's ipcp_resetci(). */
    if (ip_choose_hook != NULL) {
        ip_choose_hook(&address);
        if (address != 0) {
            accepts_remote = 0;
        }
    }
    return ntohl(address);
}
int fake_pppd_accepts_remote(void) {
    return accepts_remote;
}
int fake_pppd_is_closed(void) {
    return is_closed;
}
const char* fake_pppd_log(void) {
    return last_log;
}

void fake_pppd_open_ccp(int mppe) {
    ccp_fsm[0].state = OPENED;
    ccp_gotoptions[0].mppe = (unsigned char)mppe;
}

void fake_pppd_receive(uint16_t protocol) {
    unsigned char frame[] = {0xff, 0x03, (unsigned char)(protocol >> 8), (unsigned char)protocol};
    snoop_recv_hook(frame, sizeof frame);
}

static int next_timer(void) {
    int next = -1;
    for (int i = 0; i < TIMERS_MAX; i++) {
        if (timers[i].function != NULL && (next < 0 || timers[i].seconds < timers[next].seconds)) {
            next = i;
        }
    }
    return next;
}

int fake_pppd_next_timer(void) {
    const int next = next_timer();
    return next < 0 ? -1 : timers[next].seconds;
}

void fake_pppd_run_timer(void) {
    const int next = next_timer();
    if (next >= 0) {
        void (*const function)(void*) = timers[next].function;
        timers[next].function = NULL;
        function(timers[next].argument);
    }
}
