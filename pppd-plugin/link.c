/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "link.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int vpnha_link_open(struct vpnha_link* link, const char* path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    vpnha_link_close(link);
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path));
    link->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (link->fd < 0) {
        return -1;
    }
    /* If the listener's queue is full, a non-blocking socket gets EAGAIN at once. */
    if (connect(link->fd, (const struct sockaddr*)&address, sizeof address) != 0) {
        const int error = errno;
        vpnha_link_close(link);
        errno = error;
        return -1;
    }
    return 0;
}

void vpnha_link_close(struct vpnha_link* link) {
    if (link->fd >= 0) {
        close(link->fd);
    }
    link->fd = -1;
}

int vpnha_link_send(struct vpnha_link* link, const uint8_t* bytes, size_t length) {
    if (send(link->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)length) {
        return 0;
    }
    const int error = errno;
    vpnha_link_close(link);
    errno = error;
    return -1;
}

enum vpnha_link_event vpnha_link_receive(struct vpnha_link* link, int wait_ms) {
    const int64_t deadline = now_ms() + wait_ms;
    for (;;) {
        uint8_t bytes[VPNHA_MESSAGE_BYTES_MAX];
        const ssize_t length = recv(link->fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (length > 0) {
            link->answer = vpnha_parse_answer(bytes, (size_t)length);
            if (link->answer.kind != VPNHA_MALFORMED) {
                return VPNHA_LINK_ANSWERED;
            }
            continue; /* Perhaps of a later version. */
        }
        if (length == 0 || (errno != EAGAIN && errno != EINTR)) {
            vpnha_link_close(link);
            return VPNHA_LINK_LOST;
        }
        const int64_t left = deadline - now_ms();
        struct pollfd waiting = {.fd = link->fd, .events = POLLIN};
        if (left <= 0 || poll(&waiting, 1, (int)left) == 0) {
            return VPNHA_LINK_QUIET;
        }
    }
}
