/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "device.h"

#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <linux/pkt_sched.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netlink.h"

/* The handle of vpnhad's own queueing discipline, the root of a device whose session has a rate
 * (services/bandwidth/backend/traffic_control.cpp). vpnhad owns the ingress beside it as well. */
enum { VPNHADS_QUEUE = 0x76700000 };

struct reading {
    uint32_t interface;
    struct vpnha_session* session;
    int is_limited; /* By vpnhad. */
};

static int is_link_local(const uint8_t* octets) {
    return octets[0] == 0xfe && (octets[1] & 0xc0) == 0x80;
}

static int is_in(const struct vpnha_route* net, unsigned octet_count, const uint8_t* octets) {
    const unsigned whole = net->length / 8u, rest = net->length % 8u;
    return net->octet_count == octet_count && memcmp(net->octets, octets, whole) == 0 &&
           (rest == 0 || ((net->octets[whole] ^ octets[whole]) >> (8u - rest)) == 0);
}

/* An address of the client, or of one of its networks. */
static int is_clients(const struct vpnha_session* session, unsigned octet_count,
                      const uint8_t* octets) {
    const uint32_t peer = htonl(session->peer_ppp_address);
    if (octet_count == sizeof peer && memcmp(octets, &peer, sizeof peer) == 0) {
        return 1;
    }
    for (unsigned i = 0; i < session->route_count; i++) {
        if (is_in(&session->routes[i], octet_count, octets)) {
            return 1;
        }
    }
    return 0;
}

static void take_address(void* context, const struct nlmsghdr* message) {
    const struct reading* const reading = context;
    struct vpnha_session* const session = reading->session;
    const struct ifaddrmsg* const header = NLMSG_DATA(message);
    const uint8_t *local = NULL, *peer = NULL;
    const uint32_t ours = htonl(session->our_ppp_address);
    const uint32_t theirs = htonl(session->peer_ppp_address);
    long left = (long)IFA_PAYLOAD(message);
    if (message->nlmsg_type != RTM_NEWADDR || message->nlmsg_len < NLMSG_LENGTH(sizeof *header) ||
        header->ifa_index != reading->interface) {
        return;
    }
    const size_t octets = header->ifa_family == AF_INET ? 4 : 16;
    for (const struct rtattr* each = IFA_RTA(header); RTA_OK(each, left);
         each = RTA_NEXT(each, left)) {
        if (each->rta_type == IFA_LOCAL && RTA_PAYLOAD(each) == octets) {
            local = RTA_DATA(each);
        } else if (each->rta_type == IFA_ADDRESS && RTA_PAYLOAD(each) == octets) {
            peer = RTA_DATA(each);
        }
    }
    local = local == NULL ? peer : local;
    const int negotiated =
        local == NULL || (octets == 4 ? memcmp(local, &ours, 4) == 0 &&
                                            (peer == NULL || memcmp(peer, &theirs, 4) == 0)
                                      : is_link_local(local));
    session->not_resumable |= negotiated ? 0 : VPNHA_NOT_ADDRESSES;
}

static void take_queue(void* context, const struct nlmsghdr* message) {
    struct reading* const reading = context;
    const struct tcmsg* const header = NLMSG_DATA(message);
    /* The kernel's own one has no handle. */
    if (message->nlmsg_type != RTM_NEWQDISC || message->nlmsg_len < NLMSG_LENGTH(sizeof *header) ||
        (uint32_t)header->tcm_ifindex != reading->interface || header->tcm_handle == 0) {
        return;
    }
    reading->is_limited = reading->is_limited || header->tcm_handle == VPNHADS_QUEUE;
    reading->session->not_resumable |= reading->is_limited ? 0 : VPNHA_NOT_QUEUE;
}

static void take_proxied(void* context, const struct nlmsghdr* message) {
    struct vpnha_session* const session = ((const struct reading*)context)->session;
    const struct ndmsg* const header = NLMSG_DATA(message);
    struct vpnha_proxied proxied = {.octet_count = header->ndm_family == AF_INET ? 4 : 16};
    int is_found = 0;
    long left = (long)message->nlmsg_len - (long)NLMSG_LENGTH(sizeof *header);
    if (message->nlmsg_type != RTM_NEWNEIGH || left < 0 || (header->ndm_flags & NTF_PROXY) == 0) {
        return;
    }
    for (const struct rtattr* each =
             (const struct rtattr*)((const char*)header + NLMSG_ALIGN(sizeof *header));
         RTA_OK(each, left); each = RTA_NEXT(each, left)) {
        if (each->rta_type == NDA_DST && RTA_PAYLOAD(each) == proxied.octet_count) {
            memcpy(proxied.octets, RTA_DATA(each), proxied.octet_count);
            is_found = is_clients(session, proxied.octet_count, proxied.octets);
        }
    }
    /* Without a name: an entry of all devices, which no tool makes, or of one that is gone. */
    if (!is_found || if_indextoname((unsigned)header->ndm_ifindex, proxied.interface) == NULL) {
        return;
    }
    if (session->proxied_count == VPNHA_PROXIED_MAX) {
        session->not_resumable |= VPNHA_NOT_PROXIED;
    } else {
        session->proxied[session->proxied_count++] = proxied;
    }
}

static void ask_for_addresses(int fd, struct reading* reading) {
    const struct {
        struct nlmsghdr header;
        struct ifaddrmsg address;
    } request = {
        .header = {.nlmsg_len = sizeof request,
                   .nlmsg_type = RTM_GETADDR,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .address = {.ifa_family = AF_UNSPEC, .ifa_index = reading->interface},
    };
    (void)vpnha_netlink_ask(fd, &request.header, take_address, reading);
}

static void ask_for_queue(int fd, uint32_t parent, struct reading* reading) {
    const struct {
        struct nlmsghdr header;
        struct tcmsg queue;
    } request = {
        /* Without NLM_F_ECHO only sockets that subscribe to changes get the answer. */
        .header = {.nlmsg_len = sizeof request,
                   .nlmsg_type = RTM_GETQDISC,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_ECHO},
        .queue = {.tcm_family = AF_UNSPEC,
                  .tcm_ifindex = (int)reading->interface,
                  .tcm_parent = parent},
    };
    (void)vpnha_netlink_ask(fd, &request.header, take_queue, reading);
}

static void ask_for_proxied(int fd, unsigned char family, struct reading* reading) {
    const struct {
        struct nlmsghdr header;
        struct ndmsg neighbour;
    } request = {
        .header = {.nlmsg_len = sizeof request,
                   .nlmsg_type = RTM_GETNEIGH,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .neighbour = {.ndm_family = family, .ndm_flags = NTF_PROXY},
    };
    (void)vpnha_netlink_ask(fd, &request.header, take_proxied, reading);
}

void vpnha_read_device(const char* interface, struct vpnha_session* session) {
    struct reading reading = {.interface = if_nametoindex(interface), .session = session};
    const int fd = reading.interface == 0 ? -1 : vpnha_netlink_open();
    session->proxied_count = 0;
    memset(session->proxied, 0, sizeof session->proxied);
    if (fd < 0) {
        return;
    }
    ask_for_addresses(fd, &reading);
    ask_for_queue(fd, TC_H_ROOT, &reading);
    ask_for_queue(fd, TC_H_INGRESS, &reading);
    ask_for_proxied(fd, AF_INET, &reading);
    ask_for_proxied(fd, AF_INET6, &reading);
    close(fd);
}
