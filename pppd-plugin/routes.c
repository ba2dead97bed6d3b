/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routes.h"

#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netlink.h"

struct listing {
    uint32_t interface;
    unsigned count; /* May be above VPNHA_ROUTES_MAX. */
    int has_default;
    struct vpnha_route routes[VPNHA_ROUTES_MAX];
};

static int is_added_by_somebody(const struct rtmsg* route) {
    return route->rtm_type == RTN_UNICAST && (route->rtm_flags & RTM_F_CLONED) == 0 &&
           (route->rtm_protocol == RTPROT_BOOT || route->rtm_protocol == RTPROT_STATIC ||
            route->rtm_protocol == RTPROT_DHCP);
}

static void take(void* context, const struct nlmsghdr* message) {
    struct listing* const listing = context;
    const struct rtmsg* const header = NLMSG_DATA(message);
    struct vpnha_route route = {.octet_count = header->rtm_family == AF_INET ? 4 : 16,
                                .length = header->rtm_dst_len};
    uint32_t over = 0;
    long left = (long)RTM_PAYLOAD(message);
    if (message->nlmsg_type != RTM_NEWROUTE || message->nlmsg_len < NLMSG_LENGTH(sizeof *header)) {
        return;
    }
    for (const struct rtattr* each = RTM_RTA(header); RTA_OK(each, left);
         each = RTA_NEXT(each, left)) {
        if (each->rta_type == RTA_DST && RTA_PAYLOAD(each) == route.octet_count) {
            memcpy(route.octets, RTA_DATA(each), route.octet_count);
        } else if (each->rta_type == RTA_OIF && RTA_PAYLOAD(each) == sizeof over) {
            memcpy(&over, RTA_DATA(each), sizeof over);
        }
    }
    if (over != listing->interface || !is_added_by_somebody(header)) {
        return;
    }
    if (route.length == 0) {
        listing->has_default = 1;
    } else if (listing->count++ < VPNHA_ROUTES_MAX) {
        listing->routes[listing->count - 1] = route;
    }
}

/* 0: failed. */
static int list(int fd, unsigned char family, struct listing* listing) {
    const struct {
        struct nlmsghdr header;
        struct rtmsg route;
        struct rtattr attribute;
        uint32_t interface;
    } request = {
        .header = {.nlmsg_len = sizeof request,
                   .nlmsg_type = RTM_GETROUTE,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .route = {.rtm_family = family},
        .attribute = {.rta_len = RTA_LENGTH(sizeof request.interface), .rta_type = RTA_OIF},
        .interface = listing->interface,
    };
    return vpnha_netlink_ask(fd, &request.header, take, listing);
}

static void skip(void* context, const struct nlmsghdr* message) {
    (void)context;
    (void)message;
}

static int set_route(int fd, uint32_t interface, const struct vpnha_prefix* prefix) {
    struct {
        struct nlmsghdr header;
        struct rtmsg route;
        struct rtattr destination_attribute;
        uint8_t destination[sizeof prefix->octets];
        struct rtattr interface_attribute;
        uint32_t interface;
    } request = {
        .header = {.nlmsg_len = sizeof request,
                   .nlmsg_type = RTM_NEWROUTE,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE},
        .route = {.rtm_family = AF_INET6,
                  .rtm_dst_len = prefix->length,
                  .rtm_table = RT_TABLE_MAIN,
                  .rtm_protocol = RTPROT_STATIC,
                  .rtm_scope = RT_SCOPE_UNIVERSE,
                  .rtm_type = RTN_UNICAST},
        .destination_attribute = {.rta_len = RTA_LENGTH(sizeof request.destination),
                                  .rta_type = RTA_DST},
        .interface_attribute = {.rta_len = RTA_LENGTH(sizeof request.interface),
                                .rta_type = RTA_OIF},
        .interface = interface,
    };
    memcpy(request.destination, prefix->octets, sizeof request.destination);
    return vpnha_netlink_ask(fd, &request.header, skip, NULL);
}

int vpnha_set_routes(const char* interface, const struct vpnha_session* session) {
    const uint32_t index = if_nametoindex(interface);
    const int fd = index == 0 ? -1 : vpnha_netlink_open();
    int complete = fd >= 0;
    for (unsigned i = 0; i < session->prefix_count && fd >= 0; i++) {
        complete = set_route(fd, index, &session->prefixes[i]) && complete;
    }
    if (fd >= 0) {
        close(fd);
    }
    return complete;
}

int vpnha_read_routes(const char* interface, struct vpnha_session* session) {
    struct listing listing = {.interface = if_nametoindex(interface)};
    const int fd = listing.interface == 0 ? -1 : vpnha_netlink_open();
    int complete;
    if (fd < 0) {
        return 0;
    }
    complete = list(fd, AF_INET, &listing) && list(fd, AF_INET6, &listing);
    close(fd);
    if (!complete) {
        return 0;
    }
    session->route_count = 0;
    memset(session->routes, 0, sizeof session->routes);
    if (listing.count > VPNHA_ROUTES_MAX) {
        session->not_resumable |= VPNHA_NOT_ROUTES;
    } else {
        session->route_count = listing.count;
        memcpy(session->routes, listing.routes, sizeof listing.routes);
    }
    if (listing.has_default) {
        session->not_resumable |= VPNHA_NOT_DEFAULT_ROUTE;
    }
    return 1;
}
