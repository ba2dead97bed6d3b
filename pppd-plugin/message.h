/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages to and from vpnhad, version 2, as documented in docs/reference/plugin-protocol.md.
 * This file does not depend on pppd. Addresses are in host order. */
#ifndef VPNHA_MESSAGE_H
#define VPNHA_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#define VPNHA_MESSAGE_BYTES_MAX 2048
#define VPNHA_GATEWAY_BYTES_MAX 32
#define VPNHA_USER_BYTES_MAX 255
#define VPNHA_INTERFACE_BYTES_MAX 15
#define VPNHA_REASON_BYTES_MAX 255
#define VPNHA_MPPE_KEY_BYTES 16
#define VPNHA_IDS_BYTES_MAX 14
#define VPNHA_CLASS_BYTES_MAX 253
#define VPNHA_CLASSES_MAX 2
#define VPNHA_ROUTES_MAX 16
#define VPNHA_PROXIED_MAX 4
#define VPNHA_RATE_BYTES_MAX 119
#define VPNHA_RATES_MAX 4
#define VPNHA_PREFIXES_MAX 2

/* Why another node could not resume the session. */
enum {
    VPNHA_NOT_COMPRESSION = 1u << 0,
    VPNHA_NOT_MPPE = 1u << 1,
    VPNHA_NOT_VJ = 1u << 2,
    VPNHA_NOT_MULTILINK = 1u << 3,
    VPNHA_NOT_SEQUENCED = 1u << 4,
    VPNHA_NOT_LAC = 1u << 6,
    VPNHA_NOT_STATELESS = 1u << 7,
    /* Set by scripts: another node does the same if it runs them for a resumed session. */
    VPNHA_NOT_ADDRESSES = 1u << 8,
    VPNHA_NOT_QUEUE = 1u << 9,
    VPNHA_NOT_ROUTES = 1u << 10,
    VPNHA_NOT_DEFAULT_ROUTE = 1u << 11,
    VPNHA_NOT_PROXIED = 1u << 12,
    /* For the transport "other". */
    VPNHA_NOT_IN_KERNEL = 1u << 13,
    VPNHA_NOT_CARRIED = 1u << 14,
    VPNHA_NOT_FILTERED = 1u << 15,
    VPNHA_NOT_CHALLENGED = 1u << 16,
};

struct vpnha_link_options {
    uint16_t mru;
    uint32_t magic;
    uint32_t asyncmap;
    int protocol_compression;
    int address_compression;
};

/* What carries the link. */
struct vpnha_transport {
    const char* protocol;             /* Its name in vpnhad; "other": vpnhad does not know it. */
    uint8_t ids[VPNHA_IDS_BYTES_MAX]; /* Of both ends, in the form that vpnhad parses. */
    size_t ids_length;                /* 0 for "other". */
    int has_mppe;                     /* Its records may have MPPE's keys. */
};

/* MPPE's start keys decrypt the whole session. */
struct vpnha_mppe_keys {
    uint8_t send[VPNHA_MPPE_KEY_BYTES], receive[VPNHA_MPPE_KEY_BYTES];
};

/* The attribute Class of RADIUS. */
struct vpnha_class {
    size_t length;
    uint8_t octets[VPNHA_CLASS_BYTES_MAX];
};

/* The session's bandwidth as a RADIUS server orders it: an attribute as it came, or what vpnhad
 * has sent since. vpnhad parses it. */
enum vpnha_rate_kind {
    VPNHA_RATE_FILTER_ID = 1,
    VPNHA_RATE_MIKROTIK = 2,
    VPNHA_RATE_WISPR_DOWN = 3,
    VPNHA_RATE_WISPR_UP = 4,
    VPNHA_RATE_ORDERED = 5,
};
struct vpnha_rate {
    uint8_t kind;
    uint8_t length;
    uint8_t octets[VPNHA_RATE_BYTES_MAX];
};

/* A prefix of IPv6 that a RADIUS server has assigned, by the number of its attribute. */
enum vpnha_prefix_kind {
    VPNHA_PREFIX_FRAMED = 97,     /* RFC 3162 2.3 */
    VPNHA_PREFIX_DELEGATED = 123, /* RFC 4818 3 */
};
struct vpnha_prefix {
    uint8_t kind;
    uint8_t length; /* 1 to 128. */
    uint8_t octets[16];
};

/* Session-Timeout and Idle-Timeout; 0: none. */
struct vpnha_timeouts {
    uint32_t session_s, idle_s;
};

/* A network that is routed to the peer. */
struct vpnha_route {
    uint8_t octet_count; /* 4 or 16 of the next. */
    uint8_t octets[16];
    uint8_t length; /* Of the prefix. */
};

/* An address for which this node answers instead of its owner, on that device. */
struct vpnha_proxied {
    uint8_t octet_count; /* 4 or 16 of the next. */
    uint8_t octets[16];
    char interface[VPNHA_INTERFACE_BYTES_MAX + 1];
};

struct vpnha_session {
    char gateway[VPNHA_GATEWAY_BYTES_MAX + 1];
    uint32_t pid;
    struct vpnha_transport transport;
    uint8_t mppe_bits; /* 40 or 128 of stateless MPPE; 0: there is none. */
    struct vpnha_mppe_keys mppe_keys;
    struct vpnha_link_options ours, theirs;
    uint32_t our_ppp_address, peer_ppp_address;
    uint64_t our_identifier, peer_identifier; /* Of IPv6CP; 0: it is not open. */
    uint16_t mtu;                             /* Of the device. */
    uint16_t echo_interval_s, echo_failures;
    int echo_is_adaptive;
    uint64_t established_boot_ms;
    struct vpnha_timeouts timeouts;
    char user[VPNHA_USER_BYTES_MAX + 1];
    char interface[VPNHA_INTERFACE_BYTES_MAX + 1];
    uint32_t not_resumable; /* VPNHA_NOT_… */
    unsigned class_count;   /* So many of the next. */
    struct vpnha_class classes[VPNHA_CLASSES_MAX];
    uint32_t interim_s;    /* Acct-Interim-Interval of the Access-Accept; 0: none. */
    unsigned prefix_count; /* So many of the next. */
    struct vpnha_prefix prefixes[VPNHA_PREFIXES_MAX];
    unsigned route_count; /* So many of the next; the others are zero. */
    struct vpnha_route routes[VPNHA_ROUTES_MAX];
    unsigned proxied_count; /* So many of the next. */
    struct vpnha_proxied proxied[VPNHA_PROXIED_MAX];
    unsigned rate_count; /* So many of the next. */
    struct vpnha_rate rates[VPNHA_RATES_MAX];
};

/* What the link's device has counted. */
struct vpnha_traffic {
    uint64_t octets_in, octets_out, packets_in, packets_out;
};

/* Adds to its ids, which have VPNHA_IDS_BYTES_MAX bytes at most. */
void vpnha_add_id(struct vpnha_transport* transport, uint32_t value, unsigned width);

/* Each writes one message to `out`, of VPNHA_MESSAGE_BYTES_MAX bytes, and returns its length. */
size_t vpnha_encode_session_up(const struct vpnha_session* session, uint8_t* out);
/* `cause` is Acct-Terminate-Cause (RFC 2866 5.10); `traffic` may be NULL. */
size_t vpnha_encode_session_down(uint8_t cause, const struct vpnha_traffic* traffic, uint8_t* out);
size_t vpnha_encode_exit(uint8_t* out);

size_t vpnha_encode_asks(const char* gateway, uint32_t pid, const char* user, uint8_t* out);

enum vpnha_answer_kind {
    VPNHA_MALFORMED,
    VPNHA_PROTECTED,
    VPNHA_UNPROTECTED, /* With a reason. */
    VPNHA_GIVEN,       /* With an address; 0: pppd uses its own. */
    VPNHA_REFUSED,     /* With a reason: the session must end. */
    VPNHA_CHANGED,     /* With time-outs, and maybe a rate: the session has these from now on. */
};
struct vpnha_answer {
    enum vpnha_answer_kind kind;
    uint32_t address;
    struct vpnha_timeouts timeouts;
    struct vpnha_rate rate;                  /* Its length is 0: there is none. */
    char reason[VPNHA_REASON_BYTES_MAX + 1]; /* Printable ASCII; empty without one. */
};

struct vpnha_answer vpnha_parse_answer(const uint8_t* bytes, size_t length);

#endif
