/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "message.h"

#include <string.h>

enum { VERSION_2 = 2 };
enum { SESSION_UP = 1, SESSION_DOWN = 2, SESSION_EXIT = 3, ASKS = 4 };
enum { PROTECTED = 129, UNPROTECTED = 130, GIVEN = 131, REFUSED = 132, CHANGED = 133 };
enum {
    FIELD_GATEWAY = 1,
    FIELD_PID = 2,
    FIELD_PROTOCOL = 3,
    FIELD_IDS = 4,
    FIELD_OUR_OPTIONS = 5,
    FIELD_THEIR_OPTIONS = 6,
    FIELD_ADDRESSES = 7,
    FIELD_ECHO = 8,
    FIELD_ESTABLISHED = 9,
    FIELD_USER = 10,
    FIELD_DEVICE = 11,
    FIELD_NOT_RESUMABLE = 12,
    FIELD_REASON = 13,
    FIELD_ADDRESS = 14,
    /* Receivers may skip fields with this bit. */
    FIELD_CLASS = 0x8000 | 15,
    FIELD_CAUSE = 0x8000 | 16,
    FIELD_TRAFFIC = 0x8000 | 17,
    FIELD_TIMEOUTS = 0x8000 | 18,
    FIELD_IPV6 = 0x8000 | 19,
    FIELD_ROUTE = 0x8000 | 20,
    FIELD_PROXIED = 0x8000 | 21,
    FIELD_INTERIM = 0x8000 | 22,
    FIELD_RATE = 0x8000 | 23,
    FIELD_PREFIX = 0x8000 | 24,
};
/* Bits a second down and up. */
enum { ORDERED_RATE_BYTES = 16 };
enum { HEADER_BYTES = 4, FIELD_HEADER_BYTES = 4, PROTOCOL_BYTES_MAX = 16 };
enum { MPPE_KEYS_BYTES = 2 * VPNHA_MPPE_KEY_BYTES };

/* Header, field headers, and the longest values. */
_Static_assert(4 + (15 + VPNHA_CLASSES_MAX + VPNHA_ROUTES_MAX + VPNHA_PROXIED_MAX) * 4 + 16 +
                       VPNHA_PREFIXES_MAX * (4 + 18) +
                       VPNHA_RATES_MAX * (4 + 1 + VPNHA_RATE_BYTES_MAX) + VPNHA_ROUTES_MAX * 17 +
                       VPNHA_PROXIED_MAX * 32 + VPNHA_CLASSES_MAX * VPNHA_CLASS_BYTES_MAX + 32 + 4 +
                       PROTOCOL_BYTES_MAX + VPNHA_IDS_BYTES_MAX + 1 + MPPE_KEYS_BYTES + 11 + 11 +
                       8 + 5 + 8 + 8 + 255 + 17 + 4 + 4 <=
                   VPNHA_MESSAGE_BYTES_MAX,
               "the longest session fits");

static uint8_t* put(uint8_t* at, uint64_t value, unsigned width) {
    for (unsigned i = 0; i < width; i++) {
        at[i] = (uint8_t)(value >> (8 * (width - 1 - i)));
    }
    return at + width;
}

static uint8_t* put_header(uint8_t* at, uint8_t type) {
    at = put(at, VERSION_2, 2);
    at = put(at, type, 1);
    return put(at, 0, 1);
}

static uint8_t* put_field(uint8_t* at, uint16_t type, size_t length) {
    at = put(at, type, 2);
    return put(at, length, 2);
}

static uint8_t* put_text(uint8_t* at, uint16_t type, const char* text, size_t length_max) {
    const size_t length = strnlen(text, length_max);
    at = put_field(at, type, length);
    memcpy(at, text, length);
    return at + length;
}

static uint8_t* put_options(uint8_t* at, uint16_t type, const struct vpnha_link_options* options) {
    at = put_field(at, type, 11);
    at = put(at, options->mru, 2);
    at = put(at, options->magic, 4);
    at = put(at, options->asyncmap, 4);
    return put(at,
               (options->protocol_compression ? 1u : 0u) | (options->address_compression ? 2u : 0u),
               1);
}

void vpnha_add_id(struct vpnha_transport* transport, uint32_t value, unsigned width) {
    put(transport->ids + transport->ids_length, value, width);
    transport->ids_length += width;
}

/* The ids and, after them, MPPE. */
static uint8_t* put_transport(uint8_t* at, const struct vpnha_session* session) {
    const struct vpnha_transport* const transport = &session->transport;
    const size_t bits = transport->has_mppe ? 1 : 0;
    const size_t keys = transport->has_mppe && session->mppe_bits != 0 ? MPPE_KEYS_BYTES : 0;
    at = put_text(at, FIELD_PROTOCOL, transport->protocol, PROTOCOL_BYTES_MAX);
    at = put_field(at, FIELD_IDS, transport->ids_length + bits + keys);
    memcpy(at, transport->ids, transport->ids_length);
    at = put(at + transport->ids_length, session->mppe_bits, (unsigned)bits);
    if (keys != 0) {
        memcpy(at, session->mppe_keys.send, VPNHA_MPPE_KEY_BYTES);
        memcpy(at + VPNHA_MPPE_KEY_BYTES, session->mppe_keys.receive, VPNHA_MPPE_KEY_BYTES);
    }
    return at + keys;
}

static uint8_t* put_device(uint8_t* at, const struct vpnha_session* session) {
    const size_t length = strnlen(session->interface, VPNHA_INTERFACE_BYTES_MAX);
    at = put(put_field(at, FIELD_DEVICE, 2 + length), session->mtu, 2);
    memcpy(at, session->interface, length);
    return at + length;
}

static uint8_t* put_proxied(uint8_t* at, const struct vpnha_proxied* proxied) {
    const size_t length = strnlen(proxied->interface, VPNHA_INTERFACE_BYTES_MAX);
    at = put_field(at, FIELD_PROXIED, 1 + (size_t)proxied->octet_count + length);
    at = put(at, proxied->octet_count, 1);
    memcpy(at, proxied->octets, proxied->octet_count);
    memcpy(at + proxied->octet_count, proxied->interface, length);
    return at + proxied->octet_count + length;
}

static uint8_t* put_rate(uint8_t* at, const struct vpnha_rate* rate) {
    at = put(put_field(at, FIELD_RATE, 1 + (size_t)rate->length), rate->kind, 1);
    memcpy(at, rate->octets, rate->length);
    return at + rate->length;
}

size_t vpnha_encode_session_up(const struct vpnha_session* session, uint8_t* out) {
    uint8_t* at = put_header(out, SESSION_UP);
    at = put_text(at, FIELD_GATEWAY, session->gateway, VPNHA_GATEWAY_BYTES_MAX);
    at = put(put_field(at, FIELD_PID, 4), session->pid, 4);
    at = put_transport(at, session);
    at = put_options(at, FIELD_OUR_OPTIONS, &session->ours);
    at = put_options(at, FIELD_THEIR_OPTIONS, &session->theirs);
    at = put(put_field(at, FIELD_ADDRESSES, 8), session->our_ppp_address, 4);
    at = put(at, session->peer_ppp_address, 4);
    if (session->our_identifier != 0) {
        at = put(put_field(at, FIELD_IPV6, 16), session->our_identifier, 8);
        at = put(at, session->peer_identifier, 8);
    }
    at = put(put_field(at, FIELD_ECHO, 5), session->echo_interval_s, 2);
    at = put(at, session->echo_failures, 2);
    at = put(at, session->echo_is_adaptive ? 1 : 0, 1);
    at = put(put_field(at, FIELD_ESTABLISHED, 8), session->established_boot_ms, 8);
    at = put(put_field(at, FIELD_TIMEOUTS, 8), session->timeouts.session_s, 4);
    at = put(at, session->timeouts.idle_s, 4);
    at = put_text(at, FIELD_USER, session->user, VPNHA_USER_BYTES_MAX);
    at = put_device(at, session);
    at = put(put_field(at, FIELD_NOT_RESUMABLE, 4), session->not_resumable, 4);
    for (unsigned i = 0; i < session->class_count; i++) {
        const struct vpnha_class* const each = &session->classes[i];
        at = put_field(at, FIELD_CLASS, each->length);
        memcpy(at, each->octets, each->length);
        at += each->length;
    }
    if (session->interim_s != 0) {
        at = put(put_field(at, FIELD_INTERIM, 4), session->interim_s, 4);
    }
    for (unsigned i = 0; i < session->prefix_count; i++) {
        const struct vpnha_prefix* const each = &session->prefixes[i];
        at = put(put_field(at, FIELD_PREFIX, 2 + sizeof each->octets), each->kind, 1);
        at = put(at, each->length, 1);
        memcpy(at, each->octets, sizeof each->octets);
        at += sizeof each->octets;
    }
    for (unsigned i = 0; i < session->route_count; i++) {
        const struct vpnha_route* const each = &session->routes[i];
        at = put(put_field(at, FIELD_ROUTE, 1 + (size_t)each->octet_count), each->length, 1);
        memcpy(at, each->octets, each->octet_count);
        at += each->octet_count;
    }
    for (unsigned i = 0; i < session->proxied_count; i++) {
        at = put_proxied(at, &session->proxied[i]);
    }
    for (unsigned i = 0; i < session->rate_count; i++) {
        at = put_rate(at, &session->rates[i]);
    }
    return (size_t)(at - out);
}

size_t vpnha_encode_session_down(uint8_t cause, const struct vpnha_traffic* traffic, uint8_t* out) {
    uint8_t* at = put_header(out, SESSION_DOWN);
    at = put(put_field(at, FIELD_CAUSE, 1), cause, 1);
    if (traffic != NULL) {
        at = put_field(at, FIELD_TRAFFIC, 32);
        at = put(at, traffic->octets_in, 8);
        at = put(at, traffic->octets_out, 8);
        at = put(at, traffic->packets_in, 8);
        at = put(at, traffic->packets_out, 8);
    }
    return (size_t)(at - out);
}

size_t vpnha_encode_exit(uint8_t* out) {
    return (size_t)(put_header(out, SESSION_EXIT) - out);
}

size_t vpnha_encode_asks(const char* gateway, uint32_t pid, const char* user, uint8_t* out) {
    uint8_t* at = put_header(out, ASKS);
    at = put_text(at, FIELD_GATEWAY, gateway, VPNHA_GATEWAY_BYTES_MAX);
    at = put(put_field(at, FIELD_PID, 4), pid, 4);
    at = put_text(at, FIELD_USER, user, VPNHA_USER_BYTES_MAX);
    return (size_t)(at - out);
}

static uint16_t get_u16(const uint8_t* at) {
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get_u32(const uint8_t* at) {
    return (uint32_t)get_u16(at) << 16 | get_u16(at + 2);
}

/* 0: malformed. */
static int get_reason(const uint8_t* value, size_t length, char* reason) {
    if (length > VPNHA_REASON_BYTES_MAX) {
        return 0;
    }
    for (size_t i = 0; i < length; i++) {
        const char c = (char)value[i];
        reason[i] = c >= ' ' && c <= '~' ? c : '?';
    }
    reason[length] = '\0';
    return 1;
}

/* The field after the time-outs. */
static void get_rate(const uint8_t* field, size_t length, struct vpnha_rate* rate) {
    const uint8_t* const value = field + FIELD_HEADER_BYTES;
    if (length == FIELD_HEADER_BYTES + 1 + ORDERED_RATE_BYTES && get_u16(field) == FIELD_RATE &&
        get_u16(field + 2) == 1 + ORDERED_RATE_BYTES && value[0] == VPNHA_RATE_ORDERED) {
        rate->kind = VPNHA_RATE_ORDERED;
        rate->length = ORDERED_RATE_BYTES;
        memcpy(rate->octets, value + 1, ORDERED_RATE_BYTES);
    }
}

struct vpnha_answer vpnha_parse_answer(const uint8_t* bytes, size_t length) {
    const struct vpnha_answer malformed = {.kind = VPNHA_MALFORMED};
    struct vpnha_answer answer = malformed;
    if (length < HEADER_BYTES || get_u16(bytes) != VERSION_2) {
        return malformed;
    }
    if (bytes[2] == PROTECTED) {
        answer.kind = VPNHA_PROTECTED;
        return answer;
    }
    if (length < HEADER_BYTES + FIELD_HEADER_BYTES) {
        return malformed;
    }
    const uint8_t* const value = bytes + HEADER_BYTES + FIELD_HEADER_BYTES;
    const uint16_t field = get_u16(bytes + HEADER_BYTES);
    const size_t value_length = get_u16(bytes + HEADER_BYTES + 2);
    if (value_length > length - HEADER_BYTES - FIELD_HEADER_BYTES) {
        return malformed;
    }
    if (bytes[2] == GIVEN && field == FIELD_ADDRESS && value_length == 4) {
        answer.kind = VPNHA_GIVEN;
        answer.address = get_u32(value);
        return answer;
    }
    if (bytes[2] == CHANGED && field == FIELD_TIMEOUTS && value_length == 8) {
        answer.kind = VPNHA_CHANGED;
        answer.timeouts.session_s = get_u32(value);
        answer.timeouts.idle_s = get_u32(value + 4);
        get_rate(value + 8, length - HEADER_BYTES - FIELD_HEADER_BYTES - 8, &answer.rate);
        return answer;
    }
    if ((bytes[2] == UNPROTECTED || bytes[2] == REFUSED) && field == FIELD_REASON &&
        get_reason(value, value_length, answer.reason)) {
        answer.kind = bytes[2] == UNPROTECTED ? VPNHA_UNPROTECTED : VPNHA_REFUSED;
        return answer;
    }
    return malformed;
}
