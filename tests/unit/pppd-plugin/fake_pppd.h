/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pppd as the plugin sees it: its variables, its timers, its notifiers. */
#ifndef VPNHA_FAKE_PPPD_H
#define VPNHA_FAKE_PPPD_H

#include <stdint.h>

/* Loads the plugin with these options. */
void fake_pppd_start(const char* gateway, const char* socket, int wait_ms);
/* A session with plain values that could be resumed. */
void fake_pppd_negotiate(void);
void fake_pppd_remove_l2tp(void);
/* Instead of L2TP, with MPPE as pppd's options set it. */
void fake_pppd_over_pptp(int mppe);
/* By MS-CHAP: MPPE's keys are there for a moment, 5a… to send and a5… to receive. */
void fake_pppd_authenticate(void);
/* The peer's name, as long as pppd keeps one. */
void fake_pppd_name_peer(const char* name);
void fake_pppd_require_sequencing(void);
void fake_pppd_open_ccp(int mppe);
void fake_pppd_open_ipv6cp(void);
void fake_pppd_use_vj(void);
void fake_pppd_use_filter_and_rechallenge(void);
void fake_pppd_use_multilink(void);
/* In the secrets file; 0: any. */
void fake_pppd_users_address(uint32_t address);
/* A plugin that is loaded later, and gives this address; 0: none. As radius.so it allows no other
 * one than the one that is chosen. */
void fake_pppd_load_radius(uint32_t address);
/* radius.so has an Access-Accept with two classes, an Acct-Interim-Interval and other things. */
void fake_pppd_authenticate_by_radius(const char* first, const char* second, uint32_t interim_s);
/* The same with two attributes that have a rate: a Filter-Id, and WISPr-Bandwidth-Max-Up. */
void fake_pppd_limit_by_radius(const char* filter, uint32_t up);
/* The same with a prefix of IPv6, by the number of its attribute: the length that the server gives,
 * and octets behind it. Each call adds one to those before it; 0 begins anew. */
void fake_pppd_give_prefix_by_radius(int attribute, unsigned bits, const void* octets,
                                     uint32_t octet_count);
/* pppd's exit status, as it is known at ip-down. */
void fake_pppd_set_status(int value);
void fake_pppd_use_device(const char* name);
/* IPCP begins: what the peer is to get when pppd's options give `own`. */
uint32_t fake_pppd_choose(uint32_t own);
/* Whether ipcp-accept-remote, with which pppd was started, is still in force behind that. */
int fake_pppd_accepts_remote(void);
int fake_pppd_is_closed(void);
/* PHASE_… of pppd.h: its notifiers run, before pppd arms its own timers. */
void fake_pppd_enter_phase(int phase_now);
/* The options `maxconnect` and `idle`, as pppd has them now. */
int fake_pppd_own_session_timeout(void);
int fake_pppd_own_idle_timeout(void);
/* Another plugin decides what is idle. */
void fake_pppd_load_idle_hook(void);
/* There was no packet for so long. */
void fake_pppd_be_quiet(int seconds);
int fake_pppd_status(void);
void fake_pppd_ip_up(void);
void fake_pppd_ip_down(void);
void fake_pppd_exit(void);
/* A frame arrives: the snoop hook sees it. */
void fake_pppd_receive(uint16_t protocol);
/* Seconds until the next timer, or -1 when none is set; and runs it. */
int fake_pppd_next_timer(void);
void fake_pppd_run_timer(void);
/* The last line that was logged. */
const char* fake_pppd_log(void);

#endif
