/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of pppd that the plugin uses, by the names of ppp 2.5. Older versions have variables
 * instead of 2.5's functions: before_2_5.c defines these functions for them. */
#ifndef VPNHA_PPPD_H
#define VPNHA_PPPD_H

/* Older headers declare variables by these, newer ones by pppdconf.h. */
#define INET6 1
#define MAXOCTETS 1
#define MPPE 1

#include <linux/ppp_defs.h>
/* These need those before them. */
/* clang-format off */
#include <pppd/pppd.h>
#include <pppd/fsm.h>
#include <pppd/lcp.h>
#include <pppd/ipcp.h>
#include <pppd/eui64.h>
#include <pppd/ipv6cp.h>
#include <pppd/ccp.h>
/* clang-format on */
#include <pppd/mppe.h>

#if __has_include(<pppd/pppdconf.h>)
#include <pppd/options.h>

typedef const char vpnha_pppd_text;

/* Exported by pppd, but in none of its installed headers. */
struct notifier {
    struct notifier* next;
    ppp_notify_fn* func;
    void* arg;
};
extern struct notifier *ip_up_notifier, *ip_down_notifier;
int auth_ip_addr(int unit, uint32_t address);
int get_idle_time(int unit, struct ppp_idle* idle);
#else
#include <pppd/patchlevel.h>
#define PPPD_VERSION VERSION

/* Of the text that its functions log. */
typedef char vpnha_pppd_text;

typedef int ppp_exit_code_t;
typedef void ppp_notify_fn(void* context, int argument);
typedef enum { NF_PHASE_CHANGE, NF_EXIT, NF_IP_UP, NF_IP_DOWN, NF_AUTH_UP } ppp_notify_t;

void ppp_add_notify(ppp_notify_t type, ppp_notify_fn* function, void* context);
void ppp_del_notify(ppp_notify_t type, ppp_notify_fn* function, void* context);
void ppp_add_options(option_t* options);
void ppp_timeout(void (*function)(void*), void* argument, int seconds, int microseconds);
void ppp_untimeout(void (*function)(void*), void* argument);
ppp_exit_code_t ppp_status(void);
void ppp_set_status(ppp_exit_code_t code);
int ppp_get_max_connect_time(void);
void ppp_set_max_connect_time(unsigned seconds);
int ppp_get_max_idle_time(void);
void ppp_set_max_idle_time(unsigned seconds);
/* The name itself where `buffer` is null. */
const char* ppp_peer_authname(char* buffer, size_t size);
const char* ppp_ifname(void);
int ppp_get_mtu(int unit);
/* The number of octets of the key; 0: there is none. */
int mppe_get_send_key(unsigned char* key, int length);
int mppe_get_recv_key(unsigned char* key, int length);
#endif

#endif
