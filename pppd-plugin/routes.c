/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routes.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { ANSWER_BYTES = 32768, WAIT_MS = 200 };

struct listing {
    int fd;
    uint32_t interface;
    unsigned count;
    struct vpnha_route routes[VPNHA_ROUTES_MAX];
};

/* 0: failed. */
static int ask(int fd, unsigned char family, uint32_t interface) {
    struct {
        struct nlmsghdr header;
        struct rtmsg route;
        struct rtattr attribute;
        uint32_t interface;
    } request = {
        .header = {.nlmsg_len = sizeof request,
                   .nlmsg_type = RTM_GETROUTE,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .route = {.rtm_family = family},
        .attribute = {.rta_len = RTA_LENGTH(sizeof interface), .rta_type = RTA_OIF},
        .interface = interface,
    };
    return send(fd, &request, sizeof request, 0) == (ssize_t)sizeof request;
}

static int is_added_by_somebody(const struct rtmsg* route) {
    return route->rtm_type == RTN_UNICAST && route->rtm_dst_len != 0 &&
           (route->rtm_flags & RTM_F_CLONED) == 0 &&
           (route->rtm_protocol == RTPROT_BOOT || route->rtm_protocol == RTPROT_STATIC ||
            route->rtm_protocol == RTPROT_DHCP);
}

static void take(struct listing* listing, const struct nlmsghdr* message) {
    const struct rtmsg* const header = NLMSG_DATA(message);
    struct vpnha_route route = {.octet_count = header->rtm_family == AF_INET ? 4 : 16,
                                .length = header->rtm_dst_len};
    uint32_t over = 0;
    long left = (long)RTM_PAYLOAD(message);
    for (const struct rtattr* each = RTM_RTA(header); RTA_OK(each, left);
         each = RTA_NEXT(each, left)) {
        if (each->rta_type == RTA_DST && RTA_PAYLOAD(each) == route.octet_count) {
            memcpy(route.octets, RTA_DATA(each), route.octet_count);
        } else if (each->rta_type == RTA_OIF && RTA_PAYLOAD(each) == sizeof over) {
            memcpy(&over, RTA_DATA(each), sizeof over);
        }
    }
    if (over == listing->interface && is_added_by_somebody(header) &&
        listing->count < VPNHA_ROUTES_MAX) {
        listing->routes[listing->count++] = route;
    }
}

/* 0: failed. */
static int hear(struct listing* listing) {
    static union {
        struct nlmsghdr header;
        char octets[ANSWER_BYTES];
    } answer;
    for (;;) {
        const ssize_t got = recv(listing->fd, &answer, sizeof answer, 0);
        long left = got;
        if (got <= 0) {
            return 0;
        }
        for (const struct nlmsghdr* each = &answer.header; NLMSG_OK(each, left);
             each = NLMSG_NEXT(each, left)) {
            if (each->nlmsg_type == NLMSG_DONE) {
                return 1;
            }
            if (each->nlmsg_type == NLMSG_ERROR) {
                return 0;
            }
            if (each->nlmsg_type == RTM_NEWROUTE &&
                each->nlmsg_len >= NLMSG_LENGTH(sizeof(struct rtmsg))) {
                take(listing, each);
            }
        }
    }
}

int vpnha_read_routes(const char* interface, struct vpnha_session* session) {
    const struct timeval wait = {.tv_usec = WAIT_MS * 1000};
    const int strict = 1;
    struct listing listing = {.interface = if_nametoindex(interface)};
    int complete;
    if (listing.interface == 0) {
        return 0;
    }
    listing.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (listing.fd < 0) {
        return 0;
    }
    (void)setsockopt(listing.fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    /* The kernel sends these routes alone, and not a whole table of the Internet's. */
    (void)setsockopt(listing.fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &strict, sizeof strict);
    complete = ask(listing.fd, AF_INET, listing.interface) && hear(&listing) &&
               ask(listing.fd, AF_INET6, listing.interface) && hear(&listing);
    close(listing.fd);
    if (complete) {
        session->route_count = listing.count;
        memcpy(session->routes, listing.routes, sizeof listing.routes);
    }
    return complete;
}
