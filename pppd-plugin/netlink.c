/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink.h"

#include <sys/socket.h>
#include <sys/time.h>

enum { ANSWER_BYTES = 32768, WAIT_MS = 200 };

int vpnha_netlink_open(void) {
    const struct timeval wait = {.tv_usec = WAIT_MS * 1000};
    const int strict = 1;
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd >= 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
        /* The kernel sends only what is requested, and not a table of all routes. */
        (void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &strict, sizeof strict);
    }
    return fd;
}

int vpnha_netlink_ask(int fd, const struct nlmsghdr* request,
                      void (*take)(void* context, const struct nlmsghdr* message), void* context) {
    static union {
        struct nlmsghdr header;
        char octets[ANSWER_BYTES];
    } answer;
    if (send(fd, request, request->nlmsg_len, 0) != (ssize_t)request->nlmsg_len) {
        return 0;
    }
    for (;;) {
        const ssize_t got = recv(fd, &answer, sizeof answer, 0);
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
                return ((const struct nlmsgerr*)NLMSG_DATA(each))->error == 0;
            }
            take(context, each);
        }
    }
}
