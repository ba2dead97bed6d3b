/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE /* dladdr, RTLD_DEFAULT */
#include "radius.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pppd.h"

/* From radius.so's radiusclient.h, which is in no package. */
enum {
    RADIUS_NAME_BYTES = 33,
    RADIUS_VALUE_BYTES = 254,
    RADIUS_NO_VENDOR = -1,
    RADIUS_FILTER_ID = 11,
    RADIUS_CLASS = 25,
    RADIUS_ACCT_INTERIM_INTERVAL = 85, /* RFC 2869 5.16 */
};
/* In a prefix of IPv6 (RFC 3162 2.3): a reserved octet, the length, as many octets as needed. */
enum { PREFIX_LENGTH = 1, PREFIX_OCTETS = 2, PREFIX_BITS_MAX = 128 };
/* "MUST NOT be smaller than 60"; radius.so uses 60 for less as well. */
enum { INTERIM_S_MIN = 60 };
enum { RADIUS_IS_NUMBER = 1 }; /* A type. */
struct radius_attribute {
    char name[RADIUS_NAME_BYTES];
    int attribute;
    int vendor;
    int type;
    uint32_t length; /* Of `value`, if that is octets; otherwise the number itself. */
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
static unsigned rate_count = 0;
static struct vpnha_rate rates[VPNHA_RATES_MAX];
static unsigned prefix_count = 0;
static struct vpnha_prefix prefixes[VPNHA_PREFIXES_MAX];

/* The same as authorization_packet.cpp reads from a CoA-Request. */
static const struct {
    int vendor, attribute;
    uint8_t kind;
} rate_attributes[] = {
    {RADIUS_NO_VENDOR, RADIUS_FILTER_ID, VPNHA_RATE_FILTER_ID},
    {14988, 8, VPNHA_RATE_MIKROTIK},
    {14122, 8, VPNHA_RATE_WISPR_DOWN},
    {14122, 7, VPNHA_RATE_WISPR_UP},
};

static void add_rate(uint8_t kind, const struct radius_attribute* attribute) {
    const int is_number = attribute->type == RADIUS_IS_NUMBER;
    const uint32_t number = htonl(attribute->length);
    const size_t length = is_number ? sizeof number : attribute->length;
    if (length <= VPNHA_RATE_BYTES_MAX && rate_count < VPNHA_RATES_MAX) {
        rates[rate_count].kind = kind;
        rates[rate_count].length = (uint8_t)length;
        memcpy(rates[rate_count].octets, is_number ? (const void*)&number : attribute->value,
               length);
        rate_count++;
    }
}

static void look_for_rate(const struct radius_attribute* attribute) {
    for (size_t i = 0; i < sizeof rate_attributes / sizeof rate_attributes[0]; i++) {
        if (attribute->vendor == rate_attributes[i].vendor &&
            attribute->attribute == rate_attributes[i].attribute) {
            add_rate(rate_attributes[i].kind, attribute);
        }
    }
}

/* A malformed prefix is ignored. */
static void look_for_prefix(const struct radius_attribute* attribute) {
    const unsigned bits = attribute->value[PREFIX_LENGTH];
    const size_t octets = (bits + 7) / 8;
    if (attribute->vendor != RADIUS_NO_VENDOR ||
        (attribute->attribute != VPNHA_PREFIX_FRAMED &&
         attribute->attribute != VPNHA_PREFIX_DELEGATED) ||
        attribute->type == RADIUS_IS_NUMBER || attribute->length < PREFIX_OCTETS + octets ||
        bits == 0 || bits > PREFIX_BITS_MAX || prefix_count == VPNHA_PREFIXES_MAX) {
        return;
    }
    struct vpnha_prefix* const prefix = &prefixes[prefix_count++];
    memset(prefix, 0, sizeof *prefix);
    prefix->kind = (uint8_t)attribute->attribute;
    prefix->length = (uint8_t)bits;
    memcpy(prefix->octets, attribute->value + PREFIX_OCTETS, octets);
    if (bits % 8 != 0) {
        prefix->octets[bits / 8] &= (uint8_t)(0xff << (8 - bits % 8));
    }
}

static void on_attributes(struct radius_attribute* attributes) {
    class_count = 0;
    interim_s = 0;
    rate_count = 0;
    prefix_count = 0;
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
        look_for_rate(each);
        look_for_prefix(each);
    }
    if (next_hook != NULL) {
        next_hook(attributes);
    }
}

/* Removes the entries of the object at `base` from a list of pppd's. */
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
        /* Start and Stop; without a Start it sends no Interim-Updates. */
        remove_notifiers_of(NF_IP_UP, ip_up_notifier, radius.dli_fbase);
        remove_notifiers_of(NF_IP_DOWN, ip_down_notifier, radius.dli_fbase);
    }
}

void vpnha_collect_radius(struct vpnha_session* session) {
    session->class_count = class_count;
    memcpy(session->classes, classes, sizeof classes);
    session->interim_s = interim_s;
    session->prefix_count = prefix_count;
    memcpy(session->prefixes, prefixes, sizeof prefixes);
    session->rate_count = rate_count;
    memcpy(session->rates, rates, sizeof rates);
}

void vpnha_change_rate(const struct vpnha_rate* rate) {
    rates[0] = *rate;
    rate_count = 1;
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
