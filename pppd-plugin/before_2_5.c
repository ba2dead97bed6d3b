/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions of ppp 2.5 that the plugin calls, for a pppd that has variables instead. */
#include <string.h>

#include "pppd.h"
/* It declares MPPE's keys, and needs the one before it. */
#include <pppd/chap_ms.h>

static struct notifier** list_of(ppp_notify_t type) {
    switch (type) {
        case NF_PHASE_CHANGE:
            return &phasechange;
        case NF_EXIT:
            return &exitnotify;
        case NF_IP_UP:
            return &ip_up_notifier;
        case NF_IP_DOWN:
            return &ip_down_notifier;
        case NF_AUTH_UP:
            return &auth_up_notifier;
    }
    return NULL;
}

void ppp_add_notify(ppp_notify_t type, ppp_notify_fn* function, void* context) {
    add_notifier(list_of(type), function, context);
}

void ppp_del_notify(ppp_notify_t type, ppp_notify_fn* function, void* context) {
    remove_notifier(list_of(type), function, context);
}

void ppp_add_options(option_t* options) {
    add_options(options);
}

void ppp_timeout(void (*function)(void*), void* argument, int seconds, int microseconds) {
    timeout(function, argument, seconds, microseconds);
}

void ppp_untimeout(void (*function)(void*), void* argument) {
    untimeout(function, argument);
}

ppp_exit_code_t ppp_status(void) {
    return status;
}

void ppp_set_status(ppp_exit_code_t code) {
    status = code;
}

int ppp_get_max_connect_time(void) {
    return maxconnect;
}

void ppp_set_max_connect_time(unsigned seconds) {
    maxconnect = (int)seconds;
}

int ppp_get_max_idle_time(void) {
    return idle_time_limit;
}

void ppp_set_max_idle_time(unsigned seconds) {
    idle_time_limit = (int)seconds;
}

const char* ppp_peer_authname(char* buffer, size_t size) {
    (void)buffer;
    (void)size;
    return peer_authname;
}

const char* ppp_ifname(void) {
    return ifname;
}

int ppp_get_mtu(int unit) {
    return netif_get_mtu(unit);
}

static int copy(unsigned char* key, const unsigned char* from, int length) {
    if (!mppe_keys_set) {
        return 0;
    }
    length = length < MPPE_MAX_KEY_LEN ? length : MPPE_MAX_KEY_LEN;
    memcpy(key, from, (size_t)length);
    return length;
}

int mppe_get_send_key(unsigned char* key, int length) {
    return copy(key, mppe_send_key, length);
}

int mppe_get_recv_key(unsigned char* key, int length) {
    return copy(key, mppe_recv_key, length);
}
