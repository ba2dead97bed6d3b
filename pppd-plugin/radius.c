/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE /* dladdr, RTLD_DEFAULT */
#include "radius.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pppd.h"

/* Of radius.so's radiusclient.h, which no package has. */
enum {
    RADIUS_NAME_BYTES = 33,
    RADIUS_VALUE_BYTES = 254,
    RADIUS_NO_VENDOR = -1,
    RADIUS_CLASS = 25,
    RADIUS_ACCT_INTERIM_INTERVAL = 85, /* RFC 2869 5.16 */
};
/* "MUST NOT be smaller than 60"; radius.so takes 60 for less as well. */
enum { INTERIM_S_MIN = 60 };
struct radius_attribute {
    char name[RADIUS_NAME_BYTES];
    int attribute;
    int vendor;
    int type;
    uint32_t length; /* Of `value`, where that is octets; otherwise the number itself. */
    unsigned char value[RADIUS_VALUE_BYTES];
    struct radius_attribute* next;
};
typedef void radius_hook(struct radius_attribute*);

/* RFC 2866 5.10 */
enum {
    USER_REQUEST = 1,
    LOST_CARRIER = 2,
    IDLE_TIMEOUT = 4,
    SESSION_TIMEOUT = 5,
    PORT_ERROR = 8,
    NAS_ERROR = 9,
    NAS_REQUEST = 10,
    SERVICE_UNAVAILABLE = 15,
    CALLBACK = 16,
};

static radius_hook* next_hook = NULL;
static unsigned class_count = 0;
static struct vpnha_class classes[VPNHA_CLASSES_MAX];
static uint32_t interim_s = 0;

static void on_attributes(struct radius_attribute* attributes) {
    class_count = 0;
    interim_s = 0;
    for (const struct radius_attribute* each = attributes; each != NULL; each = each->next) {
        if (each->attribute == RADIUS_CLASS && each->vendor == RADIUS_NO_VENDOR &&
            each->length <= VPNHA_CLASS_BYTES_MAX && class_count < VPNHA_CLASSES_MAX) {
            classes[class_count].length = each->length;
            memcpy(classes[class_count].octets, each->value, each->length);
            class_count++;
        }
        if (each->attribute == RADIUS_ACCT_INTERIM_INTERVAL && each->vendor == RADIUS_NO_VENDOR &&
            each->length != 0) {
            interim_s = each->length < INTERIM_S_MIN ? INTERIM_S_MIN : each->length;
        }
    }
    if (next_hook != NULL) {
        next_hook(attributes);
    }
}

/* Takes out what the object at `base` has put into a list of pppd's. */
static void remove_notifiers_of(ppp_notify_t type, struct notifier* list, const void* base) {
    struct notifier* next;
    for (struct notifier* each = list; each != NULL; each = next) {
        Dl_info found;
        next = each->next;
        void* function;
        memcpy(&function, &each->func, sizeof function);
        if (dladdr(function, &found) != 0 && found.dli_fbase == base) {
            ppp_del_notify(type, each->func, each->arg);
        }
    }
}

void vpnha_follow_radius(int accounts) {
    radius_hook** const hook = (radius_hook**)dlsym(RTLD_DEFAULT, "radius_attributes_hook");
    Dl_info radius;
    if (hook == NULL) {
        return;
    }
    if (*hook != on_attributes) {
        next_hook = *hook;
        *hook = on_attributes;
    }
    if (accounts && dladdr(hook, &radius) != 0) {
        /* Start and Stop; between them it has nothing to tell without a Start. */
        remove_notifiers_of(NF_IP_UP, ip_up_notifier, radius.dli_fbase);
        remove_notifiers_of(NF_IP_DOWN, ip_down_notifier, radius.dli_fbase);
    }
}

void vpnha_collect_radius(struct vpnha_session* session) {
    session->class_count = class_count;
    memcpy(session->classes, classes, sizeof classes);
    session->interim_s = interim_s;
}

uint8_t vpnha_end_cause(int status_now) {
    switch (status_now) {
        case EXIT_OK:
        case EXIT_USER_REQUEST:
            return USER_REQUEST;
        case EXIT_HANGUP:
        case EXIT_PEER_DEAD:
        case EXIT_CONNECT_FAILED:
            return LOST_CARRIER;
        case EXIT_INIT_FAILED:
        case EXIT_OPEN_FAILED:
        case EXIT_LOCK_FAILED:
        case EXIT_PTYCMD_FAILED:
            return PORT_ERROR;
        case EXIT_PEER_AUTH_FAILED:
        case EXIT_AUTH_TOPEER_FAILED:
        case EXIT_NEGOTIATION_FAILED:
        case EXIT_CNID_AUTH_FAILED:
            return SERVICE_UNAVAILABLE;
        case EXIT_IDLE_TIMEOUT:
            return IDLE_TIMEOUT;
        case EXIT_CALLBACK:
            return CALLBACK;
        case EXIT_CONNECT_TIME:
            return SESSION_TIMEOUT;
        case EXIT_TRAFFIC_LIMIT:
            return NAS_REQUEST;
        default:
            return NAS_ERROR;
    }
}

static int read_counter(const char* interface, const char* name, uint64_t* value) {
    char path[96];
    snprintf(path, sizeof path, "/sys/class/net/%s/statistics/%s", interface, name);
    FILE* const file = fopen(path, "re");
    if (file == NULL) {
        return 0;
    }
    const int found = fscanf(file, "%" SCNu64, value) == 1;
    fclose(file);
    return found;
}

int vpnha_read_traffic(const char* interface, struct vpnha_traffic* traffic) {
    return read_counter(interface, "rx_bytes", &traffic->octets_in) &&
           read_counter(interface, "tx_bytes", &traffic->octets_out) &&
           read_counter(interface, "rx_packets", &traffic->packets_in) &&
           read_counter(interface, "tx_packets", &traffic->packets_out);
}
